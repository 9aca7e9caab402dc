"""A conversation by LiteLLM, whose messages are sent back; prints what it saw as JSON."""

import json
import sys

import litellm
from litellm import stream_chunk_builder

how = {
    "model": "openai/any",
    "api_base": f"{sys.argv[1]}/v1",
    "api_key": "none",
    "seed": 1,
    "num_retries": 0,
}
ask = [{"role": "user", "content": "Bake."}]
again = {"role": "user", "content": "Again."}
tools = [
    {
        "type": "function",
        "function": {
            "name": "bake",
            "parameters": {
                "type": "object",
                "properties": {"kind": {"enum": ["rye", "wheat"]}},
                "required": ["kind"],
            },
        },
    }
]
reasons = []
for stream in (False, True):
    forced = {"tools": tools, "tool_choice": "required", "max_tokens": 200, "stream": stream}
    answer = litellm.completion(messages=ask, **forced, **how)
    if stream:
        answer = stream_chunk_builder(list(answer), messages=ask)
    message = answer.choices[0].message
    reasons.append(answer.choices[0].finish_reason)
    (call,) = message.tool_calls
    made = json.loads(call.function.arguments)
    told = {"tool_call_id": call.id, "role": "tool", "name": "bake", "content": made["kind"]}
    for said in (message, message.model_dump()):
        talk = [*ask, said, told, again]
        more = litellm.completion(messages=talk, tools=tools, max_tokens=4, **how)
        assert more.usage.prompt_tokens > answer.usage.prompt_tokens
        talk += [more.choices[0].message, again]
        litellm.completion(messages=talk, max_tokens=4, parallel_tool_calls=False, **how)
print(json.dumps({"reasons": reasons, "made": made}))
