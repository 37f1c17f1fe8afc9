import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { RunDirError } from "../../../../env/errors.ts";
import { resolveBy } from "../../../../train/config/config.ts";
import {
  type EvaluationConfig,
  evaluationSchema,
} from "../../../../train/evaluation/evaluation_config.ts";
import { openEvaluation } from "../../../../train/evaluation/evaluation_session.ts";
import {
  readOrder,
  type ShardLine,
  writeOrder,
} from "../../../../train/evaluation/shard_order.ts";
import { runShardAt } from "../../../../train/evaluation/shard_worker.ts";
import { openRunEpisodes } from "../../../../train/runs/run_episodes.ts";
import { openShardJobs } from "../../../../train/slime/launch/shard_jobs.ts";
import { runProgram } from "../../../support/programs.ts";
import { withoutPython } from "../../../support/python.ts";
import { fakeHost, HAS_SSHD } from "../../../support/sshd.ts";
import { inTempDir } from "../../../support/temp_dir.ts";
import { startTestRay } from "../../../support/test_ray.ts";

const NEVER = new AbortController().signal;
const CONFIG = configOf(`
  agent: expert
  trials: 2
  data: { generated: { trainTasks: 1, devTasks: 1, testTasks: 3 } }
`);

function configOf(text: string): EvaluationConfig {
  return resolveBy(evaluationSchema, { name: "shards", text });
}

/** A job that was submitted to the fake Ray. */
interface FakeJob {
  readonly id: string;
  readonly entrypoint: string;
  readonly body: string;
  readonly stop: AbortController;
  state: string;
  log: string;
}

/**
 * Starts a Jobs API with fake jobs. `work` does the work of a job and returns the job's final state. `nth` counts the
 * jobs from 1.
 */
function fakeRay(work: (job: FakeJob, nth: number) => Promise<string>) {
  const jobs: FakeJob[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      const [, , , id, what] = pathname.split("/");
      if (pathname === "/api/cluster_status") {
        const usage = { "node:10.0.0.1": [0, 1], "node:InternalHead": [0, 1] };
        const clusterStatus = { loadMetricsReport: { usage } };
        return Response.json({ data: { clusterStatus } });
      }
      if (pathname === "/api/version") {
        return Response.json({ ray_version: "2.49.2" });
      }
      if (request.method === "POST" && !what) {
        const body = await request.text();
        const { submission_id, entrypoint } = JSON.parse(body);
        const stop = new AbortController();
        const job: FakeJob = {
          ...{ id: submission_id, entrypoint, body, stop },
          ...{ state: "RUNNING", log: "" },
        };
        jobs.push(job);
        void work(job, jobs.length).then((state) => job.state = state);
        return Response.json({ submission_id });
      }
      const job = jobs.find((one) => one.id === id);
      if (job === undefined) return new Response("no", { status: 404 });
      if (what === "stop") {
        job.stop.abort();
        return Response.json({ stopped: job.state === "RUNNING" });
      }
      if (what === "logs") {
        return pathname.endsWith("tail")
          ? new Response("no", { status: 404 })
          : Response.json({ logs: job.log });
      }
      const { state: status, entrypoint } = job;
      const type = "SUBMISSION";
      return Response.json({ type, status, entrypoint, submission_id: id });
    },
  );
  return {
    jobs,
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function shardPath({ entrypoint }: FakeJob): string {
  return /shard_worker\.ts (\S+) --alone/.exec(entrypoint)?.[1] ?? "";
}

/** Does the work of a job's command in the test's process, and returns the final state of the job. */
async function workShard(
  job: FakeJob,
  onLine?: (line: ShardLine) => void,
): Promise<string> {
  const path = shardPath(job);
  const say = (line: ShardLine) => {
    job.log += `${JSON.stringify(line)}\n`;
    onLine?.(line);
  };
  await runShardAt(path, { signal: job.stop.signal, say });
  return job.stop.signal.aborted ? "STOPPED" : "SUCCEEDED";
}

function openJobs(
  url: string,
  {
    hosts = ["this"],
    hostsFile = "absent-hosts.yaml",
    config = CONFIG,
    env = {},
  }: {
    readonly hosts?: readonly string[];
    readonly hostsFile?: string;
    readonly config?: EvaluationConfig;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
) {
  return openShardJobs(config, {
    ...{ hosts, hostsFile, url, pollMs: 20 },
    env: (name) => env[name],
  });
}

/** Runs an evaluation in shards on Ray, then closes everything. */
async function evaluateAt(
  url: string,
  { path, config = CONFIG, isResumed = false, signal = NEVER }: {
    readonly path: string;
    readonly config?: EvaluationConfig;
    readonly isResumed?: boolean;
    readonly signal?: AbortSignal;
  },
) {
  await using runner = await openJobs(url);
  const plan = { path, isResumed, config };
  await using session = await openEvaluation(plan, { signal, runner });
  return await session.run({ workers: 2 });
}

/**
 * Returns the task, seed, reward and messages of each episode of an evaluation as JSON. The texts are sorted, so that
 * their order does not depend on when the episodes ended.
 */
async function contentOf(path: string): Promise<string[]> {
  using run = await openRunEpisodes(path);
  return run.list().map(({ record: { taskId, seed, reward }, messages }) =>
    JSON.stringify([taskId, seed, reward, messages()])
  ).sort();
}

async function evaluateAlone(path: string, config = CONFIG): Promise<void> {
  const plan = { path, isResumed: false, config };
  await using session = await openEvaluation(plan, { signal: NEVER });
  assert.equal((await session.run()).isComplete, true);
}

Deno.test("a shard whose job fails without a reason runs again, and the evaluation equals that of one process", () =>
  inTempDir(async (dir) => {
    const [alone, path] = [join(dir, "alone"), join(dir, "e")];
    await evaluateAlone(alone);
    // As if the first job's node had died.
    await using ray = fakeRay((job, nth) =>
      nth === 1 ? Promise.resolve("FAILED") : workShard(job)
    );
    const { isComplete, stopped } = await evaluateAt(ray.url, { path });
    assert.deepEqual([isComplete, stopped], [true, []]);
    assert.equal(ray.jobs.length, 3);
    assert.ok(ray.jobs.every(({ id }) => /^e-shard-[01]-\w{8}$/.test(id)));
    assert.deepEqual(await contentOf(path), await contentOf(alone));
    await assert.rejects(Deno.stat(join(path, "shards")), Deno.errors.NotFound);
  }));

Deno.test("a shard that fails is reported once the others have ended, and a resumed evaluation runs its episodes", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "e");
    {
      await using ray = fakeRay(async (job) => {
        if (!job.id.includes("shard-1")) return await workShard(job);
        job.log = `${JSON.stringify({ error: "no model answers" })}\n`;
        return "FAILED";
      });
      await assert.rejects(
        evaluateAt(ray.url, { path }),
        (error) =>
          error instanceof RunDirError &&
          /Process 2 of 2 .* failed: no model answers/.test(error.message),
      );
      // The shard knows why it failed, so it does not run again.
      assert.equal(ray.jobs.length, 2);
    }
    assert.equal((await contentOf(path)).length, 3);
    await using ray = fakeRay((job) => workShard(job));
    const { isComplete } = await evaluateAt(ray.url, { path, isResumed: true });
    assert.equal(isComplete, true);
    assert.equal((await contentOf(path)).length, 6);
  }));

Deno.test("an interrupt stops the jobs of the shards, and their episodes are kept", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "e");
    const controller = new AbortController();
    let played = 0;
    await using ray = fakeRay(async (job) => {
      const { signal } = job.stop;
      const stopped = new Promise((resolve) =>
        signal.addEventListener("abort", resolve)
      );
      const shard = shardPath(job);
      const order = await readOrder(shard);
      await writeOrder(shard, { ...order, jobs: order.jobs.slice(0, 1) });
      await runShardAt(shard, { signal, say: () => {} });
      if (++played === 2) controller.abort();
      await stopped;
      return "STOPPED";
    });
    const { isComplete, stopped } = await evaluateAt(ray.url, {
      path,
      signal: controller.signal,
    });
    assert.equal(isComplete, false);
    assert.deepEqual(stopped, ["it was stopped", "it was stopped"]);
    assert.deepEqual(ray.jobs.map(({ state }) => state), [
      "STOPPED",
      "STOPPED",
    ]);
    assert.equal((await contentOf(path)).length, 2);
    await assert.rejects(Deno.stat(join(path, "shards")), Deno.errors.NotFound);
  }));

Deno.test("a resumed evaluation stops the jobs of a killed evaluation and takes over their episodes; without --ray it fails", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "e");
    const order = { config: CONFIG, jobs: [{ position: 0, trial: 0 }] };
    let fingerprint = "";
    {
      const plan = { path, isResumed: false, config: CONFIG };
      await using made = await openEvaluation(plan, { signal: NEVER });
      ({ fingerprint } = made.dataset);
    }
    // Its job has run the episode and does not end.
    await using ray = fakeRay(async (job, nth) => {
      const state = await workShard(job);
      if (nth > 1) return state;
      await new Promise<void>((resolve) =>
        job.stop.signal.addEventListener("abort", () => resolve())
      );
      return "STOPPED";
    });
    const shard = join(path, "shards", "0");
    await Deno.mkdir(join(path, "shards"));
    {
      await using runner = await openJobs(ray.url);
      const killed = new AbortController();
      const running = runner.run(shard, { ...order, fingerprint }, {
        signal: killed.signal,
      });
      while (!(ray.jobs[0]?.log.includes('"end"'))) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const plan = { path, isResumed: true, config: CONFIG };
      await assert.rejects(
        openEvaluation(plan, { signal: NEVER }),
        /another host.*0\.away\.json/,
      );
      const { isComplete } = await evaluateAt(ray.url, {
        path,
        isResumed: true,
      });
      assert.equal(isComplete, true);
      await running;
    }
    assert.equal(ray.jobs[0]?.state, "STOPPED");
    assert.equal((await contentOf(path)).length, 6);
    assert.equal(ray.jobs.length, 3);
  }));

Deno.test("the keys of the models reach a job without being in a file, a command line or a record of Ray", () =>
  inTempDir(async (dir) => {
    const secret = "sk-it's secret";
    const path = join(dir, "shards", "0");
    await Deno.mkdir(join(dir, "shards"));
    const config = configOf("model: { model: gpt-4o }");
    await using ray = fakeRay(async (job) => {
      const [receive = ""] = job.entrypoint.split(" && exec ");
      job.log = await runProgram("sh", [
        "-c",
        `${receive} && printenv OPENAI_API_KEY`,
      ]);
      return "SUCCEEDED";
    });
    const env = { OPENAI_API_KEY: secret, OTHER: "x" };
    await using runner = await openJobs(ray.url, { config, env });
    const order = { config, fingerprint: "", jobs: [] };
    const end = await runner.run(path, order, { signal: NEVER });
    assert.deepEqual(end, { error: null, why: null });
    const [job] = ray.jobs;
    assert.equal(job?.log.trim(), secret);
    assert.ok(!job.body.includes("secret"));
    for await (const { name, isFile } of Deno.readDir(join(dir, "shards"))) {
      if (!isFile || name.endsWith(".log")) continue;
      const text = await Deno.readTextFile(join(dir, "shards", name));
      assert.ok(!text.includes("secret"), name);
    }
  }));

Deno.test("openShardJobs() refuses hosts that lack the policy or an address, and a Ray that does not respond", () =>
  inTempDir(async (dir) => {
    const hostsFile = join(dir, "hosts.yaml");
    await Deno.writeTextFile(hostsFile, "gpu1: {}\n");
    await using ray = fakeRay((job) => workShard(job));
    const policy = configOf("policy: runs/a");
    await assert.rejects(
      openJobs(ray.url, { hosts: ["gpu1"], hostsFile, config: policy }),
      /policy of "runs\/a" on gpu1/,
    );
    await assert.rejects(
      openJobs(ray.url, { hosts: ["this", "gpu1"], hostsFile }),
      /no node with the address of "gpu1" \(gpu1\); its nodes are 10\.0\.0\.1;/,
    );
    await assert.rejects(openJobs("http://127.0.0.1:9"), /cannot be reached/);
  }));

Deno.test({
  name:
    "shards run as jobs of a real Ray on this machine and on a host over ssh, with the episodes of a single process (needs Python with Ray, and sshd)",
  ignore: withoutPython() || !HAS_SSHD,
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "r" });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => Deno.remove(dir, { recursive: true }));
    const gpu = stack.use(await fakeHost(dir, "gpu2"));
    await installTaulab(join(gpu.home, ".taulab"));
    const hostsFile = join(dir, "hosts.yaml");
    const { name, ...host } = gpu.host;
    const ray = stack.use(await startTestRay());
    // This Ray has one node. Ray replaces its loopback address with another address of the machine.
    const [address] = await ray.jobs.nodes() ?? [];
    await Deno.writeTextFile(
      hostsFile,
      stringify({ [name]: { ...host, address } }),
    );
    const [alone, path] = [join(dir, "alone"), join(dir, "e")];
    await evaluateAlone(alone);
    const { url } = ray.jobs;
    const hosts = ["this", name];
    await using runner = await openJobs(url, { hosts, hostsFile });
    {
      const plan = { path, isResumed: false, config: CONFIG };
      await using session = await openEvaluation(plan, {
        signal: NEVER,
        runner,
      });
      let episodes = 0;
      const { isComplete, stopped } = await session.run({
        workers: 2,
        onProgress: (progress) => episodes += progress.episodes,
      });
      assert.deepEqual([isComplete, stopped, episodes], [true, [], 6]);
    }
    assert.deepEqual(await contentOf(path), await contentOf(alone));
    const jobs = await ray.jobs.list();
    assert.deepEqual(jobs.map(({ state }) => state), [
      "SUCCEEDED",
      "SUCCEEDED",
    ]);
    const left = Deno.readDir(join(gpu.home, ".taulab", "shards"));
    assert.deepEqual(await Array.fromAsync(left), []);
  },
});

/** Creates the directory that setup would install, with links to this checkout and to the current Deno. */
async function installTaulab(dir: string): Promise<void> {
  const bin = join(dir, `deno-${Deno.version.deno}`, "bin");
  await Deno.mkdir(bin, { recursive: true });
  await Deno.symlink(Deno.execPath(), join(bin, "deno"));
  const root = fileURLToPath(new URL("../../../../", import.meta.url));
  await Deno.symlink(root.replace(/\/$/, ""), join(dir, "taulab"));
}
