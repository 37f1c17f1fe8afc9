import assert from "node:assert/strict";
import { join } from "node:path";
import type { Host } from "../../../../train/slime/hosts/hosts_file.ts";
import { openFleet } from "../../../../train/slime/launch/fleet.ts";
import { resolveSlime } from "../../../../train/slime/slime_config.ts";
import {
  planHosts,
  planRay,
} from "../../../../train/slime/plan/plan_cluster.ts";
import {
  isFinal,
  type RayJobs,
} from "../../../../train/slime/launch/ray_jobs.ts";
import {
  type StartedRay,
  startRay,
  stopRay,
} from "../../../../train/slime/launch/ray_cluster.ts";
import { withoutPython } from "../../../support/python.ts";
import { rayPython, smallRay } from "../../../support/ray.ts";
import { launchRecipe, launchWorld } from "../../../support/slime_launch.ts";
import {
  type FakeHost,
  fakeHost,
  HAS_SSHD,
  wireHosts,
} from "../../../support/sshd.ts";

/**
 * The source of a Python program that runs a Ray task on one GPU of each of two hosts, and prints the hosts of the
 * tasks.
 */
const WHERE = `
import ray
ray.init()
@ray.remote(num_gpus=1, num_cpus=0, scheduling_strategy="SPREAD")
def where():
    return ray.util.get_node_ip_address()
group = ray.util.placement_group([{"GPU": 1}, {"GPU": 1}], strategy="STRICT_SPREAD")
ray.get(group.ready(), timeout=60)
found = [
    where.options(scheduling_strategy=ray.util.scheduling_strategies.PlacementGroupSchedulingStrategy(group, i)).remote()
    for i in range(2)
]
print("GPUs at", *sorted(ray.get(found)))
`;

Deno.test({
  name:
    "Ray starts on two bare hosts over ssh, from their virtual environments; a job uses GPUs of both; both are stopped (needs Python with Ray, and sshd)",
  ignore: withoutPython() || !HAS_SSHD,
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "r" });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => Deno.remove(dir, { recursive: true }));
    const gpu1 = stack.use(await fakeHost(dir, "gpu1"));
    const gpu2 = stack.use(await fakeHost(dir, "gpu2"));
    const addresses = await wireHosts(gpu1, gpu2);
    const hosts = await Promise.all([gpu1, gpu2].map(withVenv));
    const plan = await planOn(dir, addresses);
    await using fleet = openFleet(hosts, { env: () => undefined });
    let started: StartedRay | null = null;
    try {
      const jobs = await fleet.jobsOf({ jobsUrl: plan.jobsUrl, head: "gpu1" });
      started = await startRay(plan, {
        jobs,
        shellOf: (name) => fleet.shellOf(name),
        env: () => undefined,
        onStart: () => Promise.resolve(),
      });
      assert.deepEqual(started.hosts, ["gpu1", "gpu2"]);
      assert.equal((await jobs.gpus())?.total, 2);

      const script = join(dir, "where.py");
      await Deno.writeTextFile(script, WHERE);
      const log = await logOf(jobs, `${rayPython()} ${script}`);
      assert.match(
        log,
        new RegExp(`GPUs at ${addresses.toSorted().join(" ")}`),
      );
    } finally {
      if (started !== null) {
        const ended = await stopRay(started, (name) => fleet.shellOf(name));
        assert.ok(ended.every(({ left }) => left === 0));
        assert.ok(ended.some(({ found }) => found > 0));
      }
    }
    for (const host of [gpu1, gpu2]) {
      const left = await host.processes();
      assert.deepEqual(
        left.filter((line) => /raylet|gcs_server/.test(line)),
        [],
      );
    }
  },
});

/** Creates the plan of a run on two hosts with one simulated GPU each. */
async function planOn(dir: string, [first, second]: [string, string]) {
  const world = await launchWorld(dir);
  const recipe = launchRecipe(world, {
    episodes: "http://127.0.0.1:1",
    engine: 1,
    steps: 1,
    batchSize: 8,
    groupSize: 8,
  });
  const text = JSON.stringify({
    ...recipe,
    paths: { ...recipe.paths, ray: "ray" },
    cluster: {
      ...recipe.cluster,
      hosts: ["gpu1", "gpu2"],
      nodes: 2,
      hostGpus: 1,
    },
  });
  const slime = resolveSlime({ name: "test", text });
  const hosts = planHosts(slime.config, {
    hosts: [
      { name: "gpu1", address: first },
      { name: "gpu2", address: second },
    ],
  });
  return planRay(slime, { hosts, secrets: [], services: [] });
}

/** Creates a virtual environment with `ray` on a host, and returns the host's entry with that environment. */
async function withVenv({ host, home }: FakeHost): Promise<Host> {
  const venv = join(home, "venv");
  await Deno.mkdir(join(venv, "bin"), { recursive: true });
  await Deno.writeTextFile(join(venv, "bin/ray"), smallRay(), { mode: 0o755 });
  return { ...host, venv };
}

/** Submits a job, waits until it has ended, and returns its log. Fails if the job does not succeed. */
async function logOf(jobs: RayJobs, entrypoint: string): Promise<string> {
  await jobs.submit({
    submissionId: "where",
    entrypoint,
    envVars: {},
    metadata: {},
  });
  for (;;) {
    const { state } = await jobs.job("where");
    const log = await jobs.logs("where");
    if (isFinal(state)) {
      assert.equal(state, "SUCCEEDED", log);
      return log;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
