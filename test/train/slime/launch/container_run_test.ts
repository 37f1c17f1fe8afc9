import { DEFAULT_IMAGE } from "../../../../train/slime/setup/pins.ts";
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { BoundaryError } from "../../../../env/errors.ts";
import { EpisodeStore } from "../../../../train/runs/episode_store.ts";
import { openFleet } from "../../../../train/slime/launch/fleet.ts";
import { readLaunchRecord } from "../../../../train/slime/launch/launch_record.ts";
import {
  attachToRun,
  launchNewRun,
  type LaunchSessionOptions,
  resumeRun,
  stopLaunchedRun,
} from "../../../../train/slime/launch/sessions.ts";
import { readSlimeRun } from "../../../../train/slime/launch/slime_run.ts";
import { runSetup } from "../../../../train/slime/setup/run_setup.ts";
import { planSetup } from "../../../../train/slime/setup/setup_plan.ts";
import { resolveSlime } from "../../../../train/slime/slime_config.ts";
import { runProgram } from "../../../support/programs.ts";
import { withoutPython } from "../../../support/python.ts";
import { freePort, rayPython, smallRay } from "../../../support/ray.ts";
import { states } from "../../../support/setup_hosts.ts";
import {
  programTexts,
  type Repository,
  slimeRepository,
  tauBenchRepository,
  worldContext,
  worldOptions,
} from "../../../support/setup_world.ts";
import { slimeFiles } from "../../../support/slime_launch.ts";
import {
  HAS_NAMESPACES,
  installDocker,
  type StandInDocker,
} from "../../../support/stand_in_docker.ts";
import { type FakeHost, fakeHost, HAS_SSHD } from "../../../support/sshd.ts";
import { TINY_CONFIG, writePolicyRun } from "../../../support/policy_run.ts";

const IMAGE = DEFAULT_IMAGE;

/**
 * The fixtures of the test: a host that this machine (the laptop) reaches only over ssh, the host's stand-in for
 * Docker, and a repository in slime's layout.
 */
interface Site {
  readonly dir: string;
  readonly hostsFile: string;
  readonly gpu: FakeHost;
  readonly docker: StandInDocker;
  /** The port of an engine in the container. */
  readonly engine: number;
  readonly slime: Repository;
}

Deno.test({
  name:
    "a run from a laptop in a container that setup creates: set up, launch, detach, attach, stop, resume (needs Python with Ray, sshd and namespaces)",
  ignore: withoutPython() || !HAS_SSHD || !HAS_NAMESPACES,
  async fn(t) {
    // Short, because the paths of Ray's sockets begin with it.
    const dir = await Deno.makeTempDir({ prefix: "r" });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => Deno.remove(dir, { recursive: true }));
    const gpu = stack.use(await fakeHost(dir, "gpu1"));
    const docker = stack.use(await installDocker(gpu.bin, join(dir, "docker")));
    const hostsFile = join(dir, "hosts.yaml");
    const { name, ...entry } = gpu.host;
    await Deno.writeTextFile(hostsFile, stringify({ [name]: entry }));
    const slime = await slimeRepository(
      join(dir, "slime-source"),
      await slimeFiles(),
    );
    const engine = freePort();
    const site: Site = { dir, hostsFile, gpu, docker, engine, slime };
    await publish(site);
    // With its tokenizer, in the directory that is mounted into the container.
    await writePolicyRun(join(dir, "model"));

    const step = (name: string, fn: () => Promise<void>) =>
      t.step(name, () => explained(fn));
    await step(
      "setup creates the container and everything in it",
      () => setUp(site),
    );
    await using policy = await startEngine(site);
    assert.match(policy.url, /^http:\/\/127\.0\.0\.1:/);

    await step(
      "a run completes, and its episodes are copied back",
      async () => {
        const { run, result } = await launchNewRun(recipe(site, { steps: 2 }), {
          ...options(site),
          path: join(dir, "runs/first"),
        });
        assert.equal(result.outcome, "completed");
        using episodes = new EpisodeStore(join(run.path, "episodes.db"));
        assert.ok(episodes.list().length >= 16);
        const log = join(dir, "host-runs/first/logs/serve-0.log");
        assert.match(await Deno.readTextFile(log), /episodes of generated/);
        assert.equal(await processes(site), "");
      },
    );

    await step(
      "--attach restarts a server that died while the run was detached",
      async () => {
        const path = join(dir, "runs/second");
        const left = await launchUntilStep(site, path);
        assert.equal(left.result.outcome, "detached");
        const record = (await readLaunchRecord(path))!;
        assert.equal(record.services[0]!.host, "gpu1");
        await inContainer(site, `kill -KILL ${record.services[0]!.pid}`);
        const stop = new AbortController();
        const attached = await attachToRun(path, {
          ...options(site),
          signal: stop.signal,
          onRun: () => ({
            onLine: ({ step }) => step >= 3 && stop.abort(),
          }),
        });
        assert.equal(attached.result.outcome, "detached");
        const again = (await readLaunchRecord(path))!;
        assert.notEqual(again.services[0]!.pid, record.services[0]!.pid);
      },
    );

    await step(
      "--stop stops everything that was started, --resume continues",
      async () => {
        const path = join(dir, "runs/second");
        const stopped = await stopLaunchedRun(path, options(site));
        assert.deepEqual([stopped.state, stopped.services], ["STOPPED", 1]);
        assert.equal(await processes(site), "");
        const { result } = await resumeRun(path, {
          ...options(site),
          overrides: [],
        });
        assert.equal(result.outcome, "completed");
        assert.equal((await readSlimeRun(path)).info.outcome, "completed");
      },
    );

    await step(
      "inside the image, setup, doctor and train need no hosts file",
      () => runInside(site),
    );

    await step(
      "--stop of a run whose container was killed finds nothing to stop",
      async () => {
        const path = join(dir, "runs/third");
        await launchUntilStep(site, path);
        await docker.docker("stop", "taulab-slime");
        const stopped = await stopLaunchedRun(path, options(site));
        assert.equal(stopped.state, null);
        const record = (await readLaunchRecord(path))!;
        assert.deepEqual([record.ray, record.services], [null, []]);
      },
    );
  },
});

/**
 * Runs a step of the test. If it fails with a `BoundaryError`, adds the error's hint and all notes so far to the
 * message.
 */
async function explained(fn: () => Promise<void>): Promise<void> {
  try {
    await fn();
  } catch (error) {
    if (!(error instanceof BoundaryError)) throw error;
    const told = [error.message, error.hint, ...notes].join("\n");
    throw new Error(told, { cause: error });
  }
}

/**
 * Publishes the image. It contains Python with Ray, a `ray` script for small clusters, Megatron-LM, and the programs
 * that setup checks.
 */
async function publish({ dir, docker }: Site): Promise<void> {
  const state = "/opt/image/state";
  const { git: _, docker: __, deno, ...programs } = await programTexts(
    state,
    rayPython(),
  );
  const { prefix, base } = await pythonDirs();
  const { denoDir } = JSON.parse(
    await runProgram(Deno.execPath(), ["info", "--json"]),
  );
  await docker.publish(IMAGE, {
    binds: [prefix, base, dirname(Deno.execPath()), `${denoDir} rw`, dir],
    env: { DENO_DIR: denoDir },
    files: {
      ...Object.fromEntries(
        Object.entries(programs).map((
          [name, text],
        ) => [`/opt/image/bin/${name}`, text]),
      ),
      "/opt/image/bin/ray": smallRay(),
      [`${state}/deno`]: deno!,
      "/opt/megatron/megatron/core/__init__.py": "",
    },
  });
}

/** Returns the directories of the Python interpreter for tests. */
async function pythonDirs(): Promise<{ prefix: string; base: string }> {
  const program = "import sys; print(sys.prefix); print(sys.base_prefix)";
  const said = await runProgram(rayPython(), ["-c", program]);
  const [prefix = "", base = ""] = said.trim().split("\n");
  return { prefix, base };
}

async function setUp(site: Site): Promise<void> {
  const { dir, gpu, slime } = site;
  const tauBench = await tauBenchRepository(join(dir, "tau-source"));
  const { config, model } = recipe(site, { steps: 1 });
  const options = await worldOptions({ hosts: [gpu.host], slime, tauBench });
  const { in: _, venv: __, ...rest } = options;
  const plans = planSetup({
    ...{ ...rest, config, model, serving: [gpu.host] },
    only: [
      ...["image", "container", "slime", "slime-package", "packages"] as const,
      ...["deno", "taulab"] as const,
    ],
  });
  const [report] = await runSetup(plans, worldContext());
  assert.equal(report!.error, undefined);
  assert.equal(
    states(report!),
    "image ran, container ran, slime ran, slime-package ran, packages done, deno ran, taulab ran",
  );
  const [again] = await runSetup(plans, worldContext());
  assert.doesNotMatch(states(again!), /\bran\b|refused/);
}

/** Runs tasks directly in the container, as a user who started the image by hand would. */
async function runInside(site: Site): Promise<void> {
  const { dir, slime } = site;
  const file = join(dir, "inside.yaml");
  await Deno.writeTextFile(file, recipeText(site, { steps: 2, hosts: [] }));
  const only = "slime,slime-package,requirements,packages";
  const said = await inContainer(
    site,
    `cd ~/.taulab/taulab && PATH=~/.taulab/deno-${Deno.version.deno}/bin:$PATH
{ deno task setup --recipe ${file} --only ${only} --slime-url ${slime.url} --slime-commit ${slime.second} &&
deno task doctor --recipe ${file} --only place &&
deno task train --recipe ${file} --skip-doctor --name inside; } 2>&1 && ls runs/inside/episodes.db`,
  );
  assert.match(said, /slime +done/);
  assert.match(said, /commands run in the host's own shell/);
  assert.match(said, /runs\/inside\/episodes\.db$/);
  assert.equal(await processes(site), "");
}

function recipe(site: Site, { steps }: { steps: number }) {
  const text = recipeText(site, { steps, hosts: ["gpu1"] });
  return resolveSlime({ name: "test", text });
}

function recipeText(
  { dir, engine }: Site,
  { steps, hosts }: { steps: number; hosts: readonly string[] },
): string {
  return stringify({
    trainer: "slime",
    data: { source: "generated", generated: TINY_CONFIG.data.generated },
    user: { strategy: "scripted" },
    prompt: "none",
    model: { name: "Qwen3-0.6B", directory: join(dir, "model") },
    paths: { megatron: "/opt/megatron", runs: join(dir, "host-runs") },
    cluster: {
      hosts,
      gpusPerNode: 1,
      hostGpus: 1,
      tempDir: "/tmp/r",
      env: { FAKE_PAUSE_S: "1" },
    },
    parallel: { tensor: 1, sequence: false },
    rollout: {
      ...{ steps, batchSize: 2, groupSize: 4, globalBatchSize: 4 },
      ...{ maxResponseLen: 16, maxContextLen: 2048, maxTurns: 2 },
      filter: null,
    },
    eval: { every: 0 },
    checkpoint: { directory: join(dir, "checkpoints"), every: 1 },
    engine: { routerPort: engine },
    bridge: { processes: 1 },
  });
}

function options({ dir, hostsFile }: Site): LaunchSessionOptions {
  return {
    hostsFile,
    runs: join(dir, "runs"),
    doctor: null,
    pollMs: 300,
    env: () => undefined,
    onNote: (text) => notes.push(text),
  };
}
const notes: string[] = [];

/** Launches a long run, follows it until its first line of metrics, and detaches from it. */
async function launchUntilStep(site: Site, path: string) {
  const stop = new AbortController();
  return await launchNewRun(recipe(site, { steps: 6 }), {
    ...options(site),
    path,
    signal: stop.signal,
    onRun: () => ({ onLine: () => stop.abort() }),
  });
}

async function inContainer({ gpu }: Site, script: string): Promise<string> {
  await using fleet = openFleet([gpu.host], { env: () => undefined });
  const { stdout } = await fleet.shellOf("gpu1").run({ script });
  return stdout.trim();
}

/** Lists the processes of a run that are still in the container. */
function processes(site: Site): Promise<string> {
  return inContainer(
    site,
    "ps -eo args= | grep -E 'raylet|gcs_server|--record' | grep -v grep",
  );
}

/** Serves an untrained policy in the container's network, as SGLang would. */
async function startEngine(site: Site) {
  const { dir, engine, gpu } = site;
  const fleet = openFleet([gpu.host], { env: () => undefined });
  const shell = fleet.shellOf("gpu1");
  const { deno } = shell.taulab;
  const end = new AbortController();
  const ready = Promise.withResolvers<string>();
  const running = shell.run({
    script:
      `cd ~/.taulab/taulab && exec ${deno} run -A tasks/serve.ts --policy ${dir}/model --port ${engine} --json`,
  }, {
    signal: end.signal,
    onLine: (line) => line.startsWith("{") && ready.resolve(line),
  }).then(({ stderr }) => ready.reject(new Error(stderr)), ready.reject);
  const { url } = JSON.parse(await ready.promise);
  return {
    url: url as string,
    async [Symbol.asyncDispose]() {
      end.abort();
      await running;
      await fleet[Symbol.asyncDispose]();
    },
  };
}
