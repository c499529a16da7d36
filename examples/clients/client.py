"""Runs a command on a commit and prints what it says: client.py SERVER REPOSITORY COMMIT COMMAND

Needs the package websockets, and a token of role developer in SLUICE_TOKEN. Ends with 0 when the run succeeded.
"""

import asyncio
import json
import logging
import os
import sys
import uuid

import websockets


async def main(server, repository, commit, command):
    """What the process ends with: 0, 1, or a text that says what is wrong."""
    wish = {"type": "run", "id": str(uuid.uuid4()), "repository": repository, "commit": commit}
    wish["command"] = {"run": command}
    position = None
    run_id = None
    url = server.replace("http", "ws", 1).rstrip("/") + "/v1/websocket"
    # Connects again whenever the connection is lost: the same id is the same run, `after` goes on where it was cut.
    async for socket in websockets.connect(url, subprotocols=["sluice.v1"]):
        try:
            await socket.send(json.dumps({"type": "hello", "token": os.environ["SLUICE_TOKEN"]}))
            await socket.send(json.dumps(wish))
            async for frame in socket:
                message = json.loads(frame)
                kind = message["type"]
                if kind == "refused":
                    problem = message["problem"]
                    return f"{problem['detail']} {problem.get('next', '')}"
                elif kind == "accepted" and message["re"] == wish["id"]:
                    run_id = message["runId"]
                    subscribe = {"type": "subscribe", "id": "run", "runId": run_id, "logs": True}
                    if position is not None:
                        subscribe["after"] = position
                    await socket.send(json.dumps(subscribe))
                elif kind == "log":
                    print(message["text"], end="", flush=True)
                elif kind == "event":
                    position = message["position"]
                    await socket.send(json.dumps({"type": "ack", "subscription": "run", "position": position}))
                elif kind == "result":
                    outcome = message["report"]["outcome"]
                    print(f"run {run_id}: {outcome}")
                    return 0 if outcome == "succeeded" else 1
        except websockets.ConnectionClosed:
            continue


if len(sys.argv) != 5 or "SLUICE_TOKEN" not in os.environ:
    sys.exit(__doc__)
# The package says there why it connects again.
logging.basicConfig(format="%(message)s")
logging.getLogger("websockets.client").setLevel(logging.INFO)
sys.exit(asyncio.run(main(*sys.argv[1:])))
