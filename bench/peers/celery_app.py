"""Celery between RabbitMQ and PostgreSQL, as its documentation recommends it where no task may be lost.

Speaks to the benchmark as ../serve.ts does: a JSON object a line, over the channel that Node.js gives its children. The
first call decides what a process is for: `work` makes it a worker, anything else one that submits and looks.
"""
import json
import os
import socket
import struct
import sys
import threading
import time
import traceback
import warnings

channel = socket.socket(fileno=int(os.environ.pop('NODE_CHANNEL_FD')))
channel.setblocking(True)


def say(message):
    channel.sendall(json.dumps(message).encode() + b'\n')


def heard():
    """The next call, read without anything that gevent must have patched before it is imported."""
    line = b''
    while not line.endswith(b'\n'):
        byte = channel.recv(1)
        if not byte:
            sys.exit()
        line += byte
    return json.loads(line)


say({'type': 'ready'})
first = heard()
expected, work = first['args'] if first['call'] == 'work' else (0, {'concurrency': 0, 'sleepMs': 0})
# Quick tasks are run fastest by processes, the default; only gevent waits in a thousand tasks at once. It loads, too.
is_forking = first['call'] == 'work' and work['sleepMs'] == 0
if not is_forking:
    from gevent import monkey, socket as green

    monkey.patch_all()
    channel = green.socket(fileno=channel.detach())

import psycopg2
from celery import Celery, signals
from celery.backends.database.session import SessionManager
from psycopg2 import extensions

warnings.simplefilter('ignore')  # it says that it should not run as root

broker_url, postgres_url = sys.argv[1:]
app = Celery('bench', broker=broker_url, backend='db+postgresql+psycopg2://' + postgres_url.split('://')[1])
app.conf.update(
    broker_transport_options={'confirm_publish': True},
    broker_pool_limit=100,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    # As its documentation has it for short tasks, and for long ones.
    worker_prefetch_multiplier=64 if is_forking else 1,
    database_engine_options={'pool_size': 10, 'max_overflow': 0, 'pool_timeout': 600},
)
processes = 2 * os.cpu_count()  # each waits for a commit after every task

if not is_forking:
    # Better than it comes: without these every result had a connection of its own, and all tasks waited while one is stored.
    app.backend.ResultSession.__func__.__defaults__[0].forked = True

    def wait(connection):
        while (state := connection.poll()) != extensions.POLL_OK:
            (green.wait_read if state == extensions.POLL_READ else green.wait_write)(connection.fileno())

    extensions.set_wait_callback(wait)


def now_ms():
    return time.time() * 1000


def payload(**fields):
    return {**fields, 'text': 'x' * (100 - len(json.dumps({**fields, 'text': ''}, separators=(',', ':'))))}


# Tasks may run in other processes; what they do is counted in this one.
told, tells = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
record = struct.Struct('?dd')
telling = threading.Lock()  # gevent lets only one wait for a socket


def tell(*what):
    with telling:
        tells.send(record.pack(*what))


@app.task
def noop(task):
    tell(False, task.get('dueAtMs', 0), now_ms())
    if work['sleepMs'] > 0:
        time.sleep(work['sleepMs'] / 1000)
    tell(True, 0, 0)


def count():
    begun = ended = 0
    delays = []
    told_at_ms = 0
    told.settimeout(0.25)
    while True:
        try:
            is_end, due_at_ms, at_ms = record.unpack(told.recv(record.size))
        except TimeoutError:
            is_end = None
        if is_end is False:
            begun += 1
            if begun == 1:
                say({'type': 'first', 'atMs': at_ms})
            if due_at_ms > 0:
                delays.append((due_at_ms, at_ms - due_at_ms))
        elif is_end:
            ended += 1
            if ended == expected:
                say({'type': 'all'})
        if delays and now_ms() > told_at_ms + 250:
            say({'type': 'delays', 'delays': delays})
            delays, told_at_ms = [], now_ms()


def run_worker():
    options = {'pool': 'prefork', 'concurrency': processes}
    if not is_forking:
        options = {'pool': 'gevent', 'concurrency': work['concurrency']}
    signals.worker_ready.connect(lambda **_: say({'id': first['id'], 'result': None}), weak=False)
    start(count)
    start(end_with_benchmark)
    app.Worker(**options, loglevel='ERROR', without_mingle=True, without_gossip=True).start()


def end_with_benchmark():
    channel.recv(1)
    os._exit(1)


def prepare():
    app.backend.ResultSession().close()  # makes its tables
    with app.connection_for_write() as connection:
        app.amqp.queues['celery'](connection.default_channel).declare()


def submit(count, shape):
    """There is no request of several tasks: a batch is sent one by one over a connection that is kept."""
    left = count

    def lane():
        nonlocal left
        with app.producer_pool.acquire(block=True) as producer:
            while left > 0:
                size = min(shape['inOne'], left)
                left -= size
                for _ in range(size):
                    noop.apply_async((payload(),), producer=producer)

    join([start(lane) for _ in range(shape['lanes'])])


def flow(what):
    from_ms = now_ms()
    under_way = []
    while len(under_way) < round(what['perSecond'] * what['seconds']):
        due_at_ms = from_ms + len(under_way) * 1000 / what['perSecond']
        if due_at_ms > now_ms():
            time.sleep(0.001)
        else:
            under_way.append(start(noop.delay, payload(dueAtMs=due_at_ms)))
    join(under_way)


def completed():
    with store, store.cursor() as cursor:
        cursor.execute("select count(*) from celery_taskmeta where status = 'SUCCESS'")
        return cursor.fetchone()[0]


def start(call, *args):
    thread = threading.Thread(target=call, args=args, daemon=True)
    thread.start()
    return thread


def join(threads):
    for thread in threads:
        thread.join()


def answer(message):
    try:
        say({'id': message['id'], 'result': calls[message['call']](*message['args'])})
    except Exception:
        say({'id': message['id'], 'error': traceback.format_exc()})


if first['call'] == 'work':
    run_worker()
else:
    calls = {'prepare': prepare, 'submit': submit, 'flow': flow, 'completed': completed}
    store = psycopg2.connect(postgres_url)
    answer(first)
    while True:
        start(answer, heard())
