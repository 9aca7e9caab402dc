// A conversation by Vercel's AI SDK: text, an object, and a tool whose result is sent back.
// usage: node ai_sdk.mjs URL; prints what it saw as JSON.
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Output, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const baseURL = `${process.argv[2]}/v1`;
const models = [
  createOpenAICompatible({ name: "llamood", baseURL, supportsStructuredOutputs: true })("any"),
  createOpenAI({ baseURL, apiKey: "none" }).chat("any"),
];
const Bread = z.object({ kind: z.enum(["rye", "wheat"]), slices: z.int().min(1).max(9), id: z.int() });
const saw = [];
for (const model of models) {
  const baked = [];
  const bake = tool({
    description: "Bakes.",
    inputSchema: Bread,
    execute: async (bread) => `${baked.push(bread)}`,
  });
  const how = { model, seed: 1, maxRetries: 0 };
  const stream = streamText({ ...how, prompt: "Bread?", maxOutputTokens: 8 });
  let text = "";
  for await (const part of stream.textStream) text += part;
  const { output } = await generateText({ ...how, prompt: "Bake.", output: Output.object({ schema: Bread }) });
  const first = await generateText({
    ...how,
    prompt: "Bake.",
    tools: { bake },
    toolChoice: { type: "tool", toolName: "bake" },
    stopWhen: stepCountIs(1),
  });
  const messages = [
    { role: "user", content: "Bake." },
    ...first.response.messages,
    { role: "user", content: "Again." },
  ];
  const second = await generateText({ ...how, messages, tools: { bake }, maxOutputTokens: 4 });
  saw.push({ text, output, baked, reason: first.finishReason, n: second.usage.inputTokens });
}
console.log(JSON.stringify(saw));
