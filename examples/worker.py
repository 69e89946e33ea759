"""A worker for Millrace in Python, with nothing but the standard library: docs/http-workers.md.

    MILLRACE_URL=http://127.0.0.1:8000 MILLRACE_API_KEY=… python3 examples/worker.py
"""
import json, os, signal, socket, threading, time, traceback, urllib.error, urllib.request

URL = os.environ.get("MILLRACE_URL", "http://127.0.0.1:8000")
KEY = os.environ.get("MILLRACE_API_KEY")

# A handler gets the payload and returns the result. `stop` is an Event, set when the task was canceled.
HANDLERS = {
    "python.length": lambda payload, stop: len(payload),
    "python.sleep": lambda payload, stop: stop.wait(payload["seconds"]),
    "python.divide": lambda payload, stop: payload["a"] / payload["b"],
}


def call(path, body=None, method="POST"):
    """Tries until Millrace answers: everything that is asked here may be asked twice."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {KEY}"} if KEY else {})}
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), headers, method=method)
    while True:
        try:
            with urllib.request.urlopen(request, timeout=90) as reply:
                return json.loads(reply.read() or "null")
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
        except OSError:  # not there, or cut off
            pass
        time.sleep(1)


def register():
    lease = int(os.environ.get("LEASE_MS", "30000"))
    about = {"host": socket.gethostname(), "pid": os.getpid(), "leaseMs": lease}
    return call("/workers", {"types": list(HANDLERS), **about})


def run(task, stop):
    key = {"id": task["id"], "attempt": task["attempt"]}
    try:
        return {**key, "result": HANDLERS[task["type"]](task["payload"], stop)}
    except Exception as error:
        about = {"name": type(error).__name__, "message": str(error), "stack": traceback.format_exc()}
        return {**key, "error": about}


def beat(worker, running):
    while True:
        time.sleep(worker["heartbeatMs"] / 1000)
        try:
            tasks = [{"id": id, "attempt": attempt} for id, attempt in list(running)]
            answer = call("/workers/heartbeat", {"workerId": worker["id"], "tasks": tasks})
        except urllib.error.HTTPError:
            continue  # given up; the next claim registers again
        for task in answer["canceled"] + answer["lost"]:
            if stop := running.get((task["id"], task["attempt"])):
                stop.set()


def main():
    worker, running = register(), {}
    threading.Thread(target=beat, args=(worker, running), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: exit())
    while True:
        try:
            for task in call("/workers/claim", {"workerId": worker["id"], "wait": 20})["tasks"]:
                stop = running[task["id"], task["attempt"]] = threading.Event()
                ending = run(task, stop)
                call("/workers/finish", {"workerId": worker["id"], "tasks": [ending]})
                running.clear()
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            running.clear()
            worker.update(register())  # silent for longer than the lease: others have its tasks now
        except (SystemExit, KeyboardInterrupt):
            return call(f"/workers/{worker['id']}", method="DELETE")  # hands back what runs


if __name__ == "__main__":
    main()
