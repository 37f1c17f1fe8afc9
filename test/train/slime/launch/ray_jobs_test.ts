import assert from "node:assert/strict";
import { RayError, type RayFaultKind } from "../../../../env/errors.ts";
import {
  type JobRequest,
  RayJobs,
} from "../../../../train/slime/launch/ray_jobs.ts";

const JOB: JobRequest = {
  submissionId: "a-1",
  entrypoint: "cd /x && exec python3 train.py",
  envVars: { A: "b" },
  metadata: { run: "a" },
};

/** Returns a description of a job, as Ray's Jobs API would. */
function jobAnswer(more: Record<string, unknown> = {}) {
  return Response.json({
    type: "SUBMISSION",
    submission_id: JOB.submissionId,
    job_id: "02000000",
    status: "RUNNING",
    entrypoint: JOB.entrypoint,
    message: "Job is currently running.",
    metadata: JOB.metadata,
    start_time: 5,
    end_time: null,
    driver_exit_code: null,
    ...more,
  });
}

/** Starts a fake Jobs API that records its requests. The test determines the responses. */
function serve(answer: (request: Request) => Response | Promise<Response>) {
  const asked: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      asked.push(`${request.method} ${new URL(request.url).pathname}`);
      return answer(request);
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  return {
    asked,
    url,
    jobs: new RayJobs({ url: `${url}/`, backoffMs: 1, timeoutMs: 2_000 }),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function faultOf(action: Promise<unknown>): Promise<RayError> {
  const error = await action.then(() => undefined, (error) => error);
  assert.ok(error instanceof RayError, String(error));
  return error;
}

Deno.test("RayJobs reads jobs whose records lack fields", async () => {
  await using server = serve(() => jobAnswer({ message: null }));
  assert.deepEqual(await server.jobs.job("a-1"), {
    submissionId: "a-1",
    state: "RUNNING",
    message: "",
    errorType: null,
    startedMs: 5,
    endedMs: null,
    exitCode: null,
    entrypoint: JOB.entrypoint,
    metadata: { run: "a" },
  });
});

Deno.test("RayJobs.submit() sends the request that Ray expects, with the trailing slash it needs", async () => {
  let body: unknown;
  await using server = serve(async (request) => {
    body = await request.json();
    return Response.json({ job_id: "a-1", submission_id: "a-1" });
  });
  assert.equal(await server.jobs.submit(JOB), "submitted");
  assert.deepEqual(server.asked, ["POST /api/jobs/"]);
  assert.deepEqual(body, {
    submission_id: "a-1",
    entrypoint: JOB.entrypoint,
    runtime_env: { env_vars: { A: "b" } },
    metadata: { run: "a" },
  });
});

Deno.test("RayJobs.submit() finds its job after a lost response, and does not submit it twice", async () => {
  let taken = 0;
  await using server = serve((request) => {
    if (request.method !== "POST") return jobAnswer();
    taken++;
    return new Response("the agent went away", { status: 500 });
  });
  assert.equal(await server.jobs.submit(JOB), "exists");
  assert.equal(taken, 1);
});

Deno.test("RayJobs.submit() retries while no agent accepts jobs, but not after a rejection", async () => {
  let tries = 0;
  await using server = serve((request) => {
    if (request.method === "GET") return new Response("no", { status: 404 });
    if (++tries < 3) {
      const words = "No available agent to submit job, please try again later.";
      return new Response(words, { status: 500 });
    }
    return Response.json({ submission_id: "a-1" });
  });
  assert.equal(await server.jobs.submit(JOB), "submitted");
  assert.equal(tries, 3);

  let refusals = 0;
  await using refusing = serve((request) => {
    if (request.method === "GET") return new Response("no", { status: 404 });
    refusals++;
    return new Response(
      "Traceback (most recent call last):\n  …\nRuntimeError: Request failed with status code 400: Traceback\n" +
        "ValueError: runtime_env is wrong.\n.\n",
      { status: 500 },
    );
  });
  const error = await faultOf(refusing.jobs.submit(JOB));
  assert.equal(error.kind, "refused");
  assert.match(
    error.message,
    /responded 500: ValueError: runtime_env is wrong/,
  );
  assert.equal(refusals, 1);
});

Deno.test("RayJobs.submit() refuses an id that another job has", async () => {
  await using server = serve((request) =>
    request.method === "POST"
      ? new Response("already exists", { status: 400 })
      : jobAnswer({ entrypoint: "something else" })
  );
  const error = await faultOf(server.jobs.submit(JOB));
  assert.equal(error.kind, "refused");
  assert.match(error.message, /another job with the id "a-1"/);
  assert.match(error.hint!, /choose another name/);
});

Deno.test("RayJobs retries transient errors, and says what failed, where and how to fix it", async () => {
  const cases: [Response, RayFaultKind, RegExp, number][] = [
    [
      new Response("Job a does not exist", { status: 404 }),
      "not_found",
      /look up the job "a".*does not exist/,
      1,
    ],
    [
      new Response("token", { status: 401 }),
      "refused",
      /RAY_AUTH_TOKEN/,
      1,
    ],
    [new Response("x\nboom\n", { status: 500 }), "server_error", /boom/, 3],
    [
      new Response("<html>router</html>"),
      "bad_response",
      /not Ray's Jobs API[^]*cluster\.dashboardPort/,
      1,
    ],
  ];
  for (const [answer, kind, words, tries] of cases) {
    await using server = serve(() => answer.clone());
    const jobs = new RayJobs({ url: server.url, retries: 2, backoffMs: 1 });
    const error = await faultOf(jobs.job("a"));
    assert.equal(error.kind, kind);
    assert.match(`${error}`, words);
    assert.equal(server.asked.length, tries);
  }
});

Deno.test("RayJobs sends its token, also over the WebSocket", async () => {
  const tokens: (string | null)[] = [];
  await using server = serve((request) => {
    tokens.push(request.headers.get("authorization"));
    if (!request.url.endsWith("/tail")) return jobAnswer();
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onopen = () => {
      socket.send("one");
      socket.close();
    };
    return response;
  });
  const token = ["not", "a", "key"].join("-");
  const jobs = new RayJobs({ url: server.url, token });
  await jobs.job("a");
  assert.deepEqual(await Array.fromAsync(jobs.tail("a")), ["one"]);
  assert.deepEqual(tokens, [`Bearer ${token}`, `Bearer ${token}`]);
});

Deno.test("RayJobs fails after a timeout, and at once if aborted", async () => {
  const open = Promise.withResolvers<Response>();
  await using server = serve(() => open.promise);
  const slow = new RayJobs({ url: server.url, timeoutMs: 30, retries: 0 });
  assert.equal((await faultOf(slow.job("a"))).kind, "timeout");
  const abort = new AbortController();
  const waiting = server.jobs.job("a", { signal: abort.signal });
  abort.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  open.resolve(jobAnswer());
});

Deno.test("RayJobs.tail() ends with its signal, and reports a missing job", async () => {
  await using server = serve((request) => {
    if (request.url.includes("nope")) return new Response("", { status: 404 });
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onopen = () => socket.send("one");
    return response;
  });
  assert.equal(
    (await faultOf(Array.fromAsync(server.jobs.tail("nope")))).kind,
    "not_found",
  );
  const abort = new AbortController();
  const heard: string[] = [];
  await assert.rejects(async () => {
    for await (const text of server.jobs.tail("a", { signal: abort.signal })) {
      heard.push(text);
      abort.abort(new Error("enough"));
    }
  }, /enough/);
  assert.deepEqual(heard, ["one"]);
});

Deno.test("RayJobs.gpus() reads the free GPUs, and is undefined if Ray does not report them", async () => {
  const usage = { GPU: [1.0, 2.0], CPU: [0.0, 8.0] };
  await using server = serve(() =>
    Response.json({
      data: { clusterStatus: { loadMetricsReport: { usage } } },
    })
  );
  assert.deepEqual(await server.jobs.gpus(), { used: 1, total: 2 });
  await using other = serve(() => Response.json({ data: {} }));
  assert.equal(await other.jobs.gpus(), undefined);
});
