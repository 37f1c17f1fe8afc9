import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { RayError } from "../../../../env/errors.ts";
import {
  followJob,
  readJobLog,
} from "../../../../train/slime/launch/follow.ts";
import {
  explainFailure,
  failureText,
} from "../../../../train/slime/launch/job_failure.ts";
import { JobLog } from "../../../../train/slime/launch/job_log.ts";
import { RayJobs } from "../../../../train/slime/launch/ray_jobs.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

/** Starts a fake Ray Jobs API with one job, whose log and state the test sets. */
function serveJob() {
  const job = { state: "RUNNING", log: "", message: "", isUp: true };
  const sockets = new Set<WebSocket>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      if (!job.isUp) return new Response("gone", { status: 503 });
      const { pathname } = new URL(request.url);
      if (pathname.endsWith("/tail")) {
        const { socket, response } = Deno.upgradeWebSocket(request);
        sockets.add(socket);
        socket.onopen = () => socket.send(job.log);
        return response;
      }
      if (pathname.endsWith("/logs")) return Response.json({ logs: job.log });
      const { state: status, message } = job;
      return Response.json({ type: "SUBMISSION", status, message });
    },
  );
  return {
    job,
    jobs: new RayJobs({
      url: `http://127.0.0.1:${server.addr.port}`,
      retries: 0,
    }),
    /** Appends text to the job's log. */
    print(text: string) {
      job.log += text;
      for (const one of sockets) {
        if (one.readyState === WebSocket.OPEN) one.send(text);
      }
    },
    /** Closes all connections that read the job's log. */
    cut() {
      for (const one of sockets) one.close();
      sockets.clear();
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Follows the server's job until it ends. `onLine` is called for each line of the log and may change the job. */
async function follow(
  dir: string,
  server: ReturnType<typeof serveJob>,
  onLine: (line: string) => void,
) {
  const lines: string[] = [];
  const notes: string[] = [];
  const logPath = join(dir, "job.log");
  const end = await followJob({
    jobs: server.jobs,
    submissionId: "a",
    logPath,
    pollMs: 20,
    onLines(some) {
      lines.push(...some);
      some.forEach(onLine);
    },
    onNote: (note) => notes.push(note),
  });
  return { ...end, lines, notes, copy: await readJobLog(logPath) };
}

Deno.test("followJob() reports each line once, although connections break and the end is read over REST", () =>
  inTempDir(async (dir) => {
    await using server = serveJob();
    server.job.log = "one\ntwo\nthr";
    const { job, lines, copy, failure } = await follow(dir, server, (line) => {
      if (line === "two") {
        server.cut();
        server.print("ee\nfour\n");
      }
      if (line === "four") {
        server.cut();
        server.job.log += "five\nsix";
        server.job.state = "SUCCEEDED";
      }
    });
    assert.equal(job.state, "SUCCEEDED");
    assert.equal(failure, null);
    assert.deepEqual(lines, ["one", "two", "three", "four", "five", "six"]);
    assert.deepEqual(copy, ["one", "two", "three", "four", "five"]);
  }));

Deno.test("followJob() retries while Ray does not respond, and reports that once", () =>
  inTempDir(async (dir) => {
    await using server = serveJob();
    server.job.log = "one\n";
    const { lines, notes } = await follow(dir, server, (line) => {
      if (line !== "one") return;
      server.job.isUp = false;
      server.cut();
      setTimeout(() => {
        server.job.log += "two\n";
        server.job.state = "STOPPED";
        server.job.isUp = true;
      }, 150);
    });
    assert.deepEqual(lines, ["one", "two"]);
    assert.equal(notes.length, 2);
    assert.match(notes[0]!, /responded 503.*Retrying/);
    assert.equal(notes[1], "Ray responds again");
  }));

Deno.test("followJob() stops reading from a connection that is dead but was not closed", () =>
  inTempDir(async (dir) => {
    await using server = serveJob();
    server.job.log = "one\n";
    const { job, lines } = await follow(dir, server, () => {
      server.job.log = "one\ntwo\n"; // and the socket stays silent
      server.job.state = "SUCCEEDED";
    });
    assert.equal(job.state, "SUCCEEDED");
    assert.deepEqual(lines, ["one", "two"]);
  }));

Deno.test("followJob() fails if Ray is unreachable for longer than patienceMs, and at once if aborted", () =>
  inTempDir(async (dir) => {
    await using server = serveJob();
    server.job.isUp = false;
    const options = {
      jobs: server.jobs,
      submissionId: "a",
      logPath: join(dir, "log"),
      pollMs: 10,
    };
    await assert.rejects(
      followJob({ ...options, patienceMs: 50 }),
      (error) => error instanceof RayError && error.kind === "server_error",
    );
    const abort = new AbortController();
    const following = followJob({ ...options, signal: abort.signal });
    abort.abort(new Error("enough"));
    await assert.rejects(following, /enough/);
  }));

Deno.test("followJob() explains a failure with the log's last error", () =>
  inTempDir(async (dir) => {
    await using server = serveJob();
    server.job.log =
      'Traceback (most recent call last):\n  File "a.py", line 3\nAssertionError: hf_validate_args failed: rope\n';
    server.job.state = "FAILED";
    const { failure } = await follow(dir, server, () => {});
    assert.match(failure!.lastError, /^Traceback[^]*rope$/);
    assert.match(failureText(failure!), /set model\.name/);
  }));

Deno.test("JobLog holds the whole log, whatever pieces it was read in and wherever reading continued", () =>
  inTempDir(async (dir) => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "\n", "é", "𝄞") });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { maxLength: 8 }),
        fc.nat(8),
        fc.boolean(),
        async (pieces, known, byRest) => {
          const path = join(dir, String(runs++));
          const whole = pieces.join("");
          const before = pieces.slice(0, known).join("");
          await Deno.writeTextFile(path, before);
          const lines: string[] = [];
          using log = await JobLog.open(path, (line) => lines.push(line));
          if (byRest) assert.ok(await log.takeWhole(whole));
          else {
            const reading = log.reading();
            for (const piece of pieces) assert.ok(await reading.take(piece));
          }
          assert.equal(await Deno.readTextFile(path), whole);
          assert.deepEqual(lines, whole.split("\n").slice(0, -1));
        },
      ),
      { numRuns: 60 },
    );
  }));

Deno.test("JobLog treats a log that restarted as new, and reports that", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "log");
    await Deno.writeTextFile(path, "old\n");
    const lines: string[] = [];
    using log = await JobLog.open(path, (line) => lines.push(line));
    assert.equal(await log.reading().take("new\nlog\n"), false);
    assert.equal(await log.takeWhole("new\nlog\n"), false);
    assert.deepEqual(lines, ["old", "new", "log"]);
    assert.ok(await log.takeWhole("new\nlog\nmore\n"));
    assert.ok(await log.reading().take("new\nlog\nmore\nagain\n"));
    assert.deepEqual(lines, ["old", "new", "log", "more", "again"]);
  }));

Deno.test("explainFailure() recognizes each symptom behind Ray's prefixes", () => {
  const cases: [line: string, cause: RegExp][] = [
    ["RuntimeError: CUDA out of memory. Tried", /ran out of memory/],
    [
      "Exception: Server process terminated unexpectedly.",
      /SGLang failed to start/,
    ],
    ["ModuleNotFoundError: No module named 'generate'", /PYTHONPATH/],
    ["FileNotFoundError: Prompt dataset path '/a' does not exist.", /tasks/],
    ["generate.SetUpError: http://h refused (402): spent", /budget/],
    ["OSError: [Errno 28] No space left on device", /disk is full/],
    ["Exception: Timeout while flushing cache.", /engines were paused/],
  ];
  for (const [line, cause] of cases) {
    const { lastError, symptom } = explainFailure({ message: "" }, [
      "[2026-01-02 03:04:05] a.py:1 - step 1: {}",
      `\x1b[36m(RolloutManager pid=7, ip=10.0.0.2)\x1b[0m ${line}`,
      "\x1b[33m(raylet)\x1b[0m The node is fine",
    ]);
    assert.ok(lastError.endsWith(line), lastError);
    assert.match(symptom!.cause, cause);
  }
  const unknown = explainFailure({ message: "Driver exited with 3" }, []);
  assert.equal(unknown.lastError, "Driver exited with 3");
  assert.equal(unknown.symptom, undefined);
});

Deno.test("explainFailure() ignores errors that Python prints during exit", () => {
  const { lastError } = explainFailure({ message: "" }, [
    "Traceback (most recent call last):",
    '  File "train.py", line 1, in <module>',
    "RuntimeError: CUDA out of memory",
    "Traceback (most recent call last):",
    '  File "threading.py", line 1527, in _register_atexit',
    "RuntimeError: can't register atexit after shutdown",
  ]);
  assert.match(lastError, /^Traceback.*CUDA out of memory$/s);
  assert.doesNotMatch(lastError, /atexit/);
});
