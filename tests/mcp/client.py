"""Uses every tool of `holdup mcp`, as an assistant would, by the client of the protocol's own project: client.py HOLDUP SERVICE PID."""

import asyncio
import json
import subprocess
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import MCPError

HOLDUP, SERVICE, PID = sys.argv[1:]


def answer(result):
    """What a tool answers, which is to be no error and within its bounds."""
    assert not result.is_error, result
    text = result.content[0].text
    assert len(text.encode()) <= 64 << 10, len(text)
    return json.loads(text)


async def main():
    recording = "before.holdup"
    subprocess.run([HOLDUP, "record", SERVICE, "-o", recording, "--for", "2s"], check=True, stdin=subprocess.DEVNULL)
    server = StdioServerParameters(command=HOLDUP, args=["mcp", SERVICE, PID, recording])
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        begun = await session.initialize()
        assert begun.server_info.name == "holdup" and "untrusted" in begun.instructions, begun
        tools = (await session.list_tools()).tools
        assert all(tool.annotations.read_only_hint for tool in tools), tools
        targets = answer(await session.call_tool("targets"))["targets"]
        service, process, recorded = targets
        checked = answer(await session.call_tool("check", {"target": service, "seconds": 4}))
        assert checked["found"]["deadlock"] == 1, checked["found"]
        assert answer(await session.call_tool("tree", {"target": process}))["untrusted"]
        assert "# deadlock" in answer(await session.call_tool("explain", {"lint": "deadlock"}))["explanation"]
        assert answer(await session.call_tool("diff", {"before": recorded, "after": recorded}))["untrusted"]["told"] == 0
        try:
            await session.call_tool("check", {"target": "http://elsewhere:1"})
        except MCPError as error:
            assert "is to be one of" in str(error), error
        else:
            raise AssertionError("what was not named on the command line was looked at")
        print("used:", ", ".join(tool.name for tool in tools))


asyncio.run(main())
