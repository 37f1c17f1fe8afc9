import assert from "node:assert/strict";
import { join } from "node:path";
import { hasProgram, runProgram } from "../support/programs.ts";
import {
  changes,
  installPrograms,
  misbehave,
  type Repository,
  slimeRepository,
  tauBenchRepository,
} from "../support/setup_world.ts";
import {
  runTask,
  taskCommand,
  type TaskOutput,
} from "../support/task_process.ts";
import { HAS_SSHD } from "../support/sshd.ts";
import { inTempDir } from "../support/temp_dir.ts";
import { inWorld } from "../support/setup_hosts.ts";

const HAS_FLOCK = await hasProgram("flock", "--version") &&
  await hasProgram("git", "--version");

interface Machine {
  readonly dir: string;
  readonly home: string;
  readonly slime: Repository;
  readonly args: readonly string[];
  readonly env: Record<string, string>;
}

/**
 * Registers a test of setup on this machine, with a separate home directory and with fake programs that record their
 * calls.
 */
function test(name: string, body: (machine: Machine) => Promise<void>): void {
  Deno.test({
    name: `${name} (needs git and flock)`,
    ignore: !HAS_FLOCK,
    fn: () =>
      inTempDir(async (dir) => {
        const home = join(dir, "home");
        await Deno.mkdir(join(home, "megatron/megatron/core"), {
          recursive: true,
        });
        await Deno.mkdir(join(dir, "bin"));
        await installPrograms(join(dir, "bin"), dir);
        const slime = await slimeRepository(join(dir, "slime-source"));
        const info = await runProgram(Deno.execPath(), ["info", "--json"]);
        const env = {
          HOME: home,
          PATH: `${join(dir, "bin")}:${Deno.env.get("PATH")}`,
          DENO_DIR: JSON.parse(info).denoDir as string,
        };
        await body({ dir, home, slime, env, args: argsOf(home, slime) });
      }),
  });
}

function argsOf(home: string, slime: Repository): string[] {
  const set = {
    "model.name": "Qwen3-0.6B",
    "model.directory": join(home, "model"),
    "paths.slime": join(home, "slime"),
    "paths.megatron": join(home, "megatron"),
    "data.source": "generated",
  };
  return [
    ...Object.entries(set).flatMap((pair) => ["--set", pair.join("=")]),
    ...["--slime-url", slime.url, "--slime-commit", slime.second],
    ...["--in", "bare", "--venv", join(home, "venv")],
  ];
}

function setup(
  { args, env }: Machine,
  ...more: string[]
): Promise<TaskOutput> {
  return runTask("setup", [...args, ...more], { env });
}

test("setup --dry-run prints every command and runs none", async (machine) => {
  const { code, stdout, stderr } = await setup(machine, "--dry-run");
  assert.equal(code, 0, stderr);
  for (
    const command of [
      /\$ python3 -m venv \S+home\/venv$/m,
      /\$ git -C \S+slime\.taulab-partial fetch --progress --depth=1 \S+slime-source [0-9a-f]{40} \|\|/,
      /\$ \S+venv\/bin\/python -m pip install --no-deps -e \S+slime /,
      /hf download Qwen\/Qwen3-0\.6B --revision main --local-dir \S+model/,
    ]
  ) assert.match(stdout, command);
  const calls = Deno.readTextFile(join(machine.dir, "calls"));
  await assert.rejects(calls, Deno.errors.NotFound);
  const names = await Array.fromAsync(Deno.readDir(machine.home));
  assert.deepEqual(names.map(({ name }) => name), ["megatron"]);
});

test("setup runs the missing steps, then nothing, then undoes them", async (machine) => {
  const check = await setup(machine, "--check");
  assert.equal(check.code, 1);
  assert.match(check.stdout, /slime +todo/);
  assert.match(check.stdout, /this machine: slime: todo: absent/);

  const first = await setup(machine);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /^model +ran$/m);
  assert.match(first.stderr, /^this machine model: done, 2 of 2 shards$/m);
  const before = await changes(machine.dir);
  const second = await setup(machine, "--json");
  assert.equal(second.code, 0, second.stderr);
  const { done, hosts } = JSON.parse(second.stdout);
  assert.equal(done, true);
  assert.deepEqual(
    new Set(hosts[0].steps.map(({ state }: { state: string }) => state)),
    new Set(["done"]),
  );
  assert.deepEqual(await changes(machine.dir), before);

  const would = await setup(machine, "--undo", "--dry-run");
  assert.match(would.stdout, /would: remove the checkout \S+slime/);
  const undone = await setup(machine, "--undo");
  assert.equal(undone.code, 0, undone.stderr);
  const names = await Array.fromAsync(Deno.readDir(machine.home));
  assert.deepEqual(names.map(({ name }) => name).sort(), [
    ".taulab",
    "megatron",
  ]);
  assert.match((await setup(machine, "--undo")).stdout, /Nothing to undo/);
});

test("setup imports tau-bench where episodes run, on this machine", async (machine) => {
  const tauBench = await tauBenchRepository(join(machine.dir, "tau-source"));
  const hosts = join(machine.dir, "hosts.yaml");
  const own = { this: { dir: join(machine.dir, "own") } };
  await Deno.writeTextFile(hosts, JSON.stringify(own));
  const args = [
    ...["--set", "data.source=tau-bench", "--hosts", hosts],
    ...["--tau-bench-url", tauBench.url, "--tau-bench-commit", tauBench.second],
    ...["--only", "tau-bench,tau-bench-data"],
  ];
  const first = await setup(machine, ...args);
  assert.equal(first.code, 0, first.stderr);
  const source = await Deno.readTextFile(
    join(machine.dir, "own/tau-bench-data/SOURCE.json"),
  );
  assert.equal(JSON.parse(source).commit, tauBench.second);
  assert.match(
    (await setup(machine, ...args)).stdout,
    /^tau-bench-data +done$/m,
  );
  const undone = await setup(machine, ...args, "--undo");
  assert.equal(undone.code, 0, undone.stderr);
  const names = await Array.fromAsync(Deno.readDir(join(machine.dir, "own")));
  assert.deepEqual(names.map(({ name }) => name), ["setup.lock"]);
});

/** Starts a setup that hangs during a download, ends it with a signal, and returns its exit status. */
async function endedBy(machine: Machine, signal: Deno.Signal): Promise<number> {
  const { dir, args, env } = machine;
  await misbehave(dir, "hf", "hang");
  const child = taskCommand("setup", args, { env }).spawn();
  const asked = async () =>
    (await changes(dir)).some((line) => line.startsWith("hf download"));
  while (!await asked()) await new Promise((go) => setTimeout(go, 30));
  child.kill(signal);
  const { code } = await child.output();
  await misbehave(dir, "hf", undefined);
  return code;
}

for (const [signal, code] of [["SIGKILL", 137], ["SIGINT", 130]] as const) {
  test(`a setup ended by ${signal} leaves no process and no lock, and can be continued`, async (machine) => {
    assert.equal(await endedBy(machine, signal), code);
    const left = () =>
      runProgram("sh", [
        "-c",
        `pgrep -f "sleep [4]730; : ${machine.dir}" || :`,
      ]);
    while ((await left()).trim() !== "") {
      await new Promise((go) => setTimeout(go, 30));
    }
    const again = await setup(machine);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /^slime +done$/m);
    assert.match(again.stdout, /^model +ran$/m);
  });
}

test("a failed setup names host, step, command and last output, and shows no token", async (machine) => {
  await misbehave(machine.dir, "python3", "fail");
  const env = { ...machine.env, HF_TOKEN: "a-word-that-is-secret" };
  const { code, stdout, stderr } = await setup({ ...machine, env });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /this machine: venv: exit status 1 from: python3 -m venv \S+\n +python3: out of luck/,
  );
  assert.match(stdout, /^slime +waiting$/m);
  const plan = await setup({ ...machine, env }, "--dry-run", "--json");
  assert.match(plan.stdout, /HF_TOKEN from this machine/);
  for (const text of [stdout, stderr, plan.stdout]) {
    assert.doesNotMatch(text, /secret/);
  }
});

test("setup exits with 2 and a hint on wrong usage", async (machine) => {
  const hosts = join(machine.dir, "hosts.yaml");
  await Deno.writeTextFile(hosts, "gpu1: { gpu: 8 }\n");
  const cases: [string[], RegExp][] = [
    [
      ["--host", "gpu1"],
      /Cannot reach "gpu1": there is no file "hosts\.yaml"/,
    ],
    [
      ["--host", "gpu1", "--hosts", hosts],
      /hosts\.yaml:1: unknown key "gpu1\.gpu"; did you mean "gpu1\.gpus"\?/,
    ],
    [
      ["--only", "modell"],
      /unknown step "modell"\nhint: did you mean "model"\?/,
    ],
    [
      ["--in", "container"],
      /Flags for a container and for a bare host cannot be used together/,
    ],
    [["--slime-commit", "main"], /--slime-commit: expected a full commit hash/],
    [["--recipe", "default"], /"default\.yaml" is not a slime recipe/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await setup(machine, ...args);
    assert.match(stderr, message);
    assert.equal(code, 2);
  }
});

Deno.test({
  name:
    "setup --host sets up the hosts of hosts.yaml over ssh although one is down (needs sshd)",
  ignore: !HAS_SSHD,
  fn: () =>
    inWorld(2, async (world) => {
      const file = join(world.dir, "hosts.yaml");
      const text = world.hosts.map(({ host: { name, ssh } }) =>
        `${name}: { ssh: ${JSON.stringify(ssh)} }\n`
      );
      await Deno.writeTextFile(file, text.join(""));
      const args = [
        ...["--host", "gpu1,gpu2", "--hosts", file, "--serve", "none"],
        ...["--in", "bare", "--venv", "~/venv"],
        ...["--set", "model.name=Qwen3-0.6B"],
        ...["--set", "model.directory=~/model"],
        ...["--set", "paths.slime=~/slime"],
        ...["--set", "paths.megatron=~/megatron"],
        ...["--slime-url", world.slime.url],
        ...["--slime-commit", world.slime.second],
      ];
      const plan = await runTask("setup", [...args, "--dry-run"]);
      assert.match(
        plan.stdout,
        /^gpu1$[^]*\$ ssh -p \d+ -i \S+user_key .* 'git -C "\$HOME"\/slime\.taulab-partial fetch[^]*^gpu2$/m,
      );
      assert.deepEqual(await changes(world.root(0)), []);
      await world.hosts[1]!.stop();
      const half = await runTask("setup", args);
      assert.equal(half.code, 1);
      assert.match(half.stdout, /^step +gpu1 +gpu2$/m);
      assert.match(half.stdout, /^model +ran +waiting$/m);
      assert.match(half.stderr, /^gpu2: nothing listens on the ssh port/m);
      await world.hosts[1]!.start();
      const whole = await runTask("setup", args);
      assert.equal(whole.code, 0, whole.stderr);
      assert.match(whole.stdout, /^model +done +ran$/m);
    }),
});
