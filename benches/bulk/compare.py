#!/usr/bin/env python3
"""Bulk loading beside others, on one file, in one run, on two threads each.

    cargo build --release
    cargo bench --bench parse --no-run
    python3 benches/bulk/compare.py [--rows 1000000] [--rounds 3]

Two tables. *Parse*: the file to checked rows in memory, against Polars `read_csv` and DuckDB `read_csv` into a table in memory. *Load*: the file
to rows that are on the disk and can be asked for by place, against Redis, PostGIS and DuckDB; what is compared is rows for each second of
processor time, of all processes that take part.

What surprises: the others do less. Polars and DuckDB check no position and know no id; Redis keeps positions to 52 bits and is told rows
in its own protocol, which is written before the clock starts; DuckDB has no index on places. Who is not installed is left out, with a word.
Polars and DuckDB come from PyPI, into a virtual environment below `target/`.
"""

import argparse
import csv
import json
import os
import pathlib
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", TOP / "target"))
THREADS = 2

POLARS = """
import sys, time, polars
begin, cpu = time.perf_counter(), time.process_time()
rows = polars.read_csv(sys.argv[1]).height
print(rows, time.perf_counter() - begin, time.process_time() - cpu)
"""

DUCKDB = """
import sys, time, duckdb
path, database = sys.argv[1], sys.argv[2]
base = duckdb.connect(database)
base.execute("SET threads = 2")
base.execute("SET enable_progress_bar = false")
begin, cpu = time.perf_counter(), time.process_time()
base.execute(f"CREATE TABLE places AS SELECT * FROM read_csv('{path}')")
if database != ":memory:":
    base.execute("CHECKPOINT")
rows = base.execute("SELECT count(*) FROM places").fetchone()[0]
print(rows, time.perf_counter() - begin, time.process_time() - cpu)
"""


def run(command, **more):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, **more)


def measured(command, **more):
    """Seconds on the clock and of the processor that a command and its children took."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    output = run(command, **more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - begin, spent, output.stdout


def python():
    """The Python of a virtual environment with Polars and DuckDB."""
    place = TARGET / "bulk-venv"
    if not (place / "bin" / "python").exists():
        run([sys.executable, "-m", "venv", place])
    try:
        run([place / "bin" / "python", "-c", "import polars, duckdb"])
    except subprocess.CalledProcessError:
        run([place / "bin" / "pip", "install", "polars", "duckdb"])
    return place / "bin" / "python"


def bench():
    """The program of `cargo bench --bench parse`."""
    output = run(["cargo", "bench", "--bench", "parse", "--no-run", "--message-format=json"], cwd=TOP).stdout
    messages = [json.loads(line) for line in output.splitlines()]
    return next(message["executable"] for message in messages if message.get("target", {}).get("name") == "parse" and message.get("executable"))


def in_turns(contenders, rounds):
    """What each contender took in every round: rows, seconds, processor seconds."""
    taken = {name: [] for name in contenders}
    for number in range(rounds):
        names = list(contenders)
        for name in names[number % len(names):] + names[:number % len(names)]:
            try:
                taken[name].append(contenders[name]())
            except (subprocess.CalledProcessError, OSError, RuntimeError) as error:
                print(f"  {name}: left out: {getattr(error, 'stderr', None) or error}")
                del contenders[name]
                taken.pop(name)
    return taken


def words(output):
    rows, seconds, cpu = output.splitlines()[-1].split()
    return int(rows), float(seconds), float(cpu)


# ---- parse ----


def parse(path, program, interpreter, rounds):
    environment = dict(os.environ, POLARS_MAX_THREADS=str(THREADS), RAYON_NUM_THREADS=str(THREADS))

    def ours():
        told = json.loads(run([program, "--bench", "read", path], env=environment).stdout.splitlines()[-1])
        return told["rows"], told["seconds"], told["cpu"]

    contenders = {
        "nigh": ours,
        "Polars read_csv": lambda: words(run([interpreter, "-c", POLARS, path], env=environment).stdout),
        "DuckDB read_csv": lambda: words(run([interpreter, "-c", DUCKDB, path, ":memory:"], env=environment).stdout),
    }
    taken = in_turns(contenders, rounds)
    size = path.stat().st_size / 1e6
    print(f"\nparse: {size:.0f} MB, medians of {rounds}")
    middle = {name: statistics.median(seconds for _, seconds, _ in turns) for name, turns in taken.items()}
    for name, turns in taken.items():
        cpu = statistics.median(cpu for _, _, cpu in turns)
        ratios = [theirs[1] / mine[1] for theirs, mine in zip(turns, taken["nigh"])]
        print(f"  {name:<18} {size / middle[name]:6.0f} MB/s  {cpu:5.2f} s of processor  nigh is {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) times as fast")


# ---- load ----


def redis_commands(path, commands):
    """Rows in the protocol of Redis, as redis-cli --pipe takes them."""
    def command(*parts):
        encoded = [str(part).encode() for part in parts]
        return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in encoded)

    with open(path, newline="") as rows, open(commands, "wb") as out:
        for row in csv.DictReader(rows):
            lat = max(-85.05, min(85.05, float(row["lat"])))  # beyond that it keeps no position
            out.write(command("GEOADD", "places", row["lon"], lat, row["id"]))
            out.write(command("HSET", row["id"], "name", row["name"], "category", row["category"], "score", row["score"]))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def processor_time(processes):
    """Processor seconds of processes and of their children that have ended."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0
    for process in processes:
        try:
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(int(field) for field in fields[11:15])
        except OSError:
            pass
    return total / ticks


def redis(commands, rows):
    if not shutil.which("redis-server"):
        raise RuntimeError("redis-server is not installed")
    port = free_port()
    with tempfile.TemporaryDirectory(dir=TARGET) as folder:
        server = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""], stdout=subprocess.DEVNULL)
        try:
            client = ["redis-cli", "-p", str(port)]
            while subprocess.run(client + ["ping"], capture_output=True).returncode != 0:
                time.sleep(0.05)
            before, begin = processor_time([server.pid]), time.perf_counter()
            with open(commands, "rb") as pipe:
                run(client + ["--pipe"], stdin=pipe)
            seconds, spent = time.perf_counter() - begin, processor_time([server.pid]) - before
            assert run(client + ["zcard", "places"]).stdout.strip() == str(rows)
            return rows, seconds, spent  # of the server alone
        finally:
            server.terminate()
            server.wait()


TABLE = """
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE TABLE raw (id text, lat float8, lon float8, name text, category text, score int);
"""
LOAD = """
\\copy raw FROM '{path}' CSV HEADER
CREATE TABLE places AS SELECT id, jsonb_build_object('name', name, 'category', category, 'score', score) AS properties, ST_MakePoint(lon, lat)::geography AS place FROM raw;
ALTER TABLE places ADD PRIMARY KEY (id);
CREATE INDEX ON places USING gist (place);
CHECKPOINT;
"""


def postgis(path, rows):
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders or os.geteuid() != 0:
        raise RuntimeError("PostgreSQL is not installed, or this is not the superuser, who can become its user")
    programs, port = folders[-1], free_port()
    # Where its own user may write.
    with tempfile.TemporaryDirectory() as folder:
        shutil.chown(folder, "postgres")
        data = f"{folder}/data"
        user = ["runuser", "-u", "postgres", "--"]
        run(user + [programs / "initdb", "-D", data, "-A", "trust"], cwd=folder)
        options = f"-p {port} -k {folder} -c listen_addresses= -c max_wal_size=4GB -c shared_buffers=512MB"
        subprocess.run([str(word) for word in user + [programs / "pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start"]], check=True, stdout=subprocess.DEVNULL, cwd=folder)
        try:
            client = user + ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", folder, "-p", str(port), "postgres"]
            shared = f"{folder}/rows.csv"
            shutil.copy(path, shared)
            os.chmod(shared, 0o644)
            run(client, input=TABLE, cwd=folder)
            master = int(pathlib.Path(f"{data}/postmaster.pid").read_text().split()[0])

            def spent():
                children = pathlib.Path(f"/proc/{master}/task/{master}/children").read_text().split()
                return processor_time([master, *children])

            before, begin = spent(), time.perf_counter()
            run(client, input=LOAD.format(path=shared), cwd=folder)
            seconds = time.perf_counter() - begin
            time.sleep(0.2)  # until the process that served the client has been waited for
            return rows, seconds, spent() - before
        finally:
            run(user + [programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], cwd=folder)


def load(path, rows, interpreter, rounds):
    nigh = TARGET / "release" / "nigh"
    commands = path.with_suffix(".redis")
    redis_commands(path, commands)

    def ours():
        with tempfile.TemporaryDirectory(dir=TARGET) as folder:
            seconds, cpu, output = measured([nigh, "import", path, "--data-dir", f"{folder}/data"])
            told = json.loads(output)
            assert (told["received"], told["rejected"]) == (rows, 0), told
            return rows, seconds, cpu

    def duckdb():
        with tempfile.TemporaryDirectory(dir=TARGET) as folder:
            return words(run([interpreter, "-c", DUCKDB, path, f"{folder}/places.duckdb"]).stdout)

    contenders = {
        "nigh import": ours,
        "Redis, AOF": lambda: redis(commands, rows),
        "PostGIS": lambda: postgis(path, rows),
        "DuckDB, no index": duckdb,
    }
    taken = in_turns(contenders, rounds)
    commands.unlink()
    print(f"\nload: {rows} rows to a durable collection that can be asked, medians of {rounds}")
    for name, turns in taken.items():
        seconds = statistics.median(seconds for _, seconds, _ in turns)
        rates = [count / cpu for count, _, cpu in turns]
        ratios = [mine[2] and (mine[0] / mine[2]) / (count / cpu) for (count, _, cpu), mine in zip(turns, taken["nigh import"])]
        print(f"  {name:<18} {statistics.median(rates):9.0f} rows a processor-second  {seconds:6.2f} s on the clock  nigh has {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f}) times that")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--only", choices=["parse", "load"])
    asked = arguments.parse_args()
    program, interpreter = bench(), python()
    with tempfile.TemporaryDirectory(dir=TARGET) as folder:
        path = pathlib.Path(folder) / "rows.csv"
        run([program, "--bench", "write", path], env=dict(os.environ, NIGH_BENCH_POINTS=str(asked.rows)))
        if asked.only != "load":
            parse(path, program, interpreter, asked.rounds)
        if asked.only != "parse":
            load(path, asked.rows, interpreter, asked.rounds)


if __name__ == "__main__":
    main()
