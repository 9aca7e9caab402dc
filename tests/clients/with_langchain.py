"""A conversation by langchain-openai, whose messages are sent back; prints what it saw as JSON."""

import json
import sys
from typing import Literal

from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field


class Bread(BaseModel):
    """Bread to bake."""

    kind: Literal["rye", "wheat"]
    slices: int = Field(ge=1, le=9)


@tool
def bake(kind: Literal["rye", "wheat"]) -> str:
    """Bakes."""
    return f"{kind} bread"


llm = ChatOpenAI(
    model="any",
    base_url=f"{sys.argv[1]}/v1",
    api_key="none",
    seed=1,
    max_retries=0,
    max_tokens=200,
    stream_usage=True,
)
ways = ["function_calling", "json_schema", "json_mode"]
bread = [
    llm.with_structured_output(Bread, method=way).invoke("Bake.").model_dump() for way in ways[:2]
]
ask = HumanMessage("Bake.", name="Ada")
binding = llm.bind_tools([bake], tool_choice="any")
whole = binding.invoke([ask])
chunks = list(binding.stream([ask]))
streamed = chunks[0]
for chunk in chunks[1:]:
    streamed += chunk
results = []
for answer in (whole, streamed):
    result = bake.invoke(answer.tool_calls[0])
    results.append(result.content)
    more = llm.bind(max_tokens=4).bind_tools([bake]).invoke([ask, answer, result, ask])
    llm.bind(max_tokens=4).invoke([ask, answer, result, more, ask])
print(json.dumps({"bread": bread, "results": results}))
