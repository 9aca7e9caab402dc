// A conversation by the npm package `openai`, whose helpers' messages are sent back.
// usage: node openai_npm.mjs URL; prints what it saw as JSON.
import OpenAI from "openai";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: "none", maxRetries: 0 });
const Bread = z.object({
  kind: z.enum(["rye", "wheat"]),
  slices: z.int().min(1).max(9),
  seed: z.int(),
  warm: z.boolean().nullable(),
});
const how = { model: "gpt-5", seed: 1, max_completion_tokens: 300 };
const ask = [{ role: "user", content: "Bake." }];
const again = { role: "user", content: "Again." };
const goOn = (...said) =>
  client.chat.completions.create({ ...how, max_completion_tokens: 4, messages: [...ask, ...said, again] });

const streamed = client.chat.completions.stream({ ...how, max_completion_tokens: 20, messages: ask });
const whole = (await streamed.finalChatCompletion()).choices[0].message;
await goOn(whole);

const parsed = await client.chat.completions.parse({
  ...how,
  messages: ask,
  response_format: zodResponseFormat(Bread, "bread"),
});
const bread = parsed.choices[0].message.parsed;
await goOn(parsed.choices[0].message);

const baked = [];
const tools = [zodFunction({ name: "bake", parameters: Bread, function: (bread) => `${baked.push(bread)}` })];
const forced = { type: "function", function: { name: "bake" } };
const called = client.chat.completions.stream({ ...how, messages: ask, tools, tool_choice: forced });
const call = (await called.finalChatCompletion()).choices[0].message;
const told = { role: "tool", tool_call_id: call.tool_calls[0].id, content: "done", name: "bake" };
await goOn(call, told);

const runner = client.chat.completions.runTools({ ...how, messages: ask, tools, tool_choice: forced });
const roles = [];
runner.on("message", (message) => roles.push(message.role));
await runner.done();
console.log(JSON.stringify({ bread, baked, roles, arguments: JSON.parse(call.tool_calls[0].function.arguments) }));
