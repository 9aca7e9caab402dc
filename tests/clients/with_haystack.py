"""A conversation by Haystack, whose messages are sent back; prints what it saw as JSON."""

import json
import sys

from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import create_tool_from_function
from haystack.utils import Secret


def bake(n: int = 1) -> str:
    """Bakes."""
    return f"{n} loaves"


tools = [create_tool_from_function(bake)]
generator = OpenAIChatGenerator(
    api_key=Secret.from_token("none"),
    model="any",
    api_base_url=f"{sys.argv[1]}/v1",
    max_retries=0,
    generation_kwargs={"max_tokens": 200, "seed": 1},
)
ask = ChatMessage.from_user("Bake.", name="Ada")
forced = {"tool_choice": "required"}
results = []
for heard in (None, lambda chunk: None):
    how = {"tools": tools, "generation_kwargs": forced, "streaming_callback": heard}
    (answer,) = generator.run([ask], **how)["replies"]
    told = [
        ChatMessage.from_tool(tools[0].invoke(**call.arguments), origin=call)
        for call in answer.tool_calls
    ]
    results += [message.tool_call_result.result for message in told]
    short = {"generation_kwargs": {"max_tokens": 4}}
    (more,) = generator.run([ask, answer, *told, ask], tools=tools, **short)["replies"]
    generator.run([ask, answer, *told, more, ask], **short)
print(json.dumps({"results": results}))
