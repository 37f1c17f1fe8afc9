import assert from "node:assert/strict";
import { join } from "node:path";
import { HostError } from "../../../../env/errors.ts";
import type { Host } from "../../../../train/slime/hosts/hosts_file.ts";
import type { ShellCommand } from "../../../../train/slime/hosts/shell.ts";
import { sshShell } from "../../../../train/slime/hosts/ssh_shell.ts";
import { type FakeHost, fakeHost, HAS_SSHD } from "../../../support/sshd.ts";
import { inTempDir } from "../../../support/temp_dir.ts";
import { until } from "../../../support/until.ts";

const noWait = { sleep: () => Promise.resolve() };

function test(name: string, body: (dir: string) => Promise<void>): void {
  Deno.test({
    name: `${name} (needs sshd)`,
    ignore: !HAS_SSHD,
    fn: () => inTempDir(body),
  });
}

function withOptions(host: Host, options: Record<string, string>): Host {
  return {
    ...host,
    ssh: { ...host.ssh, options: { ...host.ssh.options, ...options } },
  };
}

async function runs(host: FakeHost, words: string): Promise<boolean> {
  return (await host.processes()).some((line) => line.includes(words));
}

test("sshShell() runs a command with its directory, environment and input, and streams its lines", async (dir) => {
  await using gpu = await fakeHost(dir, "gpu1");
  await using shell = sshShell(gpu.host);
  const lines: string[] = [];
  const result = await shell.run({
    script: `printf '%s|%s\\n' "$WORDS" "$PWD"; cat; echo "it's" >&2; exit 7`,
    env: { WORDS: "ä ' \\ $HOME\ntwo" },
    cwd: gpu.home,
    stdin: "é\nlast",
  }, { onLine: (line, from) => lines.push(`${from} ${line}`) });
  assert.deepEqual(result, {
    code: 7,
    stdout: `ä ' \\ $HOME\ntwo|${gpu.home}\né\nlast`,
    stderr: "it's\n",
  });
  assert.deepEqual(lines.toSorted(), [
    "stderr it's",
    "stdout last",
    `stdout two|${gpu.home}`,
    "stdout ä ' \\ $HOME",
    "stdout é",
  ]);
});

test("sshShell() separates a command's output from a login shell's", async (dir) => {
  await using gpu = await fakeHost(dir, "gpu1");
  await Deno.writeTextFile(
    join(gpu.home, ".bashrc"),
    "echo welcome\necho mind the step >&2\n",
  );
  await using shell = sshShell(gpu.host);
  const { stdout, stderr } = await shell.run({ script: "echo 1; echo 2 >&2" });
  assert.deepEqual([stdout, stderr], ["1\n", "2\n"]);
});

test("sshShell() shows neither script, environment nor input in a command line", async (dir) => {
  await using gpu = await fakeHost(dir, "gpu1");
  await using shell = sshShell(gpu.host);
  const [script, value, input] = [1, 2, 3].map(() => crypto.randomUUID());
  const command: ShellCommand = {
    script: `cat >/dev/null; : ${script}; ps -eo args`,
    env: { SECRET: value! },
    stdin: input!,
  };
  const { stdout } = await shell.run(command);
  assert.ok(stdout.includes("ps -eo args"));
  for (const word of [script!, value!, input!]) {
    assert.ok(!stdout.includes(word)); // no message, because it would list all processes of the machine
  }
  assert.ok(!shell.describe(command).includes(value!));
});

test("sshShell() ends an aborted command on the host, with everything that it started", async (dir) => {
  await using gpu = await fakeHost(dir, "gpu1");
  await using shell = sshShell(gpu.host);
  const stop = new AbortController();
  const running = shell.run(
    { script: "sleep 4711 & echo up; sleep 4712" },
    { signal: stop.signal, onLine: () => stop.abort(new Error("enough")) },
  );
  await assert.rejects(running, /enough/);
  await until(async () => !await runs(gpu, "sleep 471"));
});

test("sshShell() ends a command on the host when this side is killed", async (dir) => {
  await using gpu = await fakeHost(dir, "gpu1");
  const code = `
    import { sshShell } from ${
    JSON.stringify(
      new URL("../../../../train/slime/hosts/ssh_shell.ts", import.meta.url)
        .href,
    )
  };
    const shell = sshShell(${JSON.stringify(gpu.host)});
    await shell.run({ script: "sleep 4713" });`;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-prompt",
      `data:text/typescript,${encodeURIComponent(code)}`,
    ],
    env: { TMPDIR: dir }, // files that remain after the kill are removed with `dir`
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until(() => runs(gpu, "sleep 4713"));
  child.kill("SIGKILL");
  await child.status;
  await until(async () => !await runs(gpu, "sleep 4713"));
});

test("sshShell() does not end processes that a command has detached", async (dir) => {
  await using gpu = await fakeHost(dir, "gpu1");
  await using shell = sshShell(gpu.host);
  const { stdout } = await shell.run({ script: "sleep 4714 & echo started" });
  assert.equal(stdout, "started\n");
  assert.ok(await runs(gpu, "sleep 4714"));
});

test("sshShell() distinguishes a lost connection from a failed command, and runs nothing twice", async (dir) => {
  await using gpu = await fakeHost(dir, "gpu1");
  await using shell = sshShell(gpu.host, noWait);
  const count = join(dir, "count");
  const running = shell.run(
    { script: `echo x >>${count}; echo up; sleep 4715` },
    { onLine: () => void gpu.stop() },
  );
  await assert.rejects(running, (error: Error) => {
    assert.ok(error instanceof HostError);
    assert.match(error.message, /gpu1: the connection was lost before/);
    return true;
  });
  assert.equal(await Deno.readTextFile(count), "x\n");
  assert.equal((await sshResult(gpu, "exit 255")).code, 255);
});

async function sshResult(gpu: FakeHost, script: string) {
  await gpu.start();
  await using shell = sshShell(gpu.host);
  return await shell.run({ script });
}

test("sshShell() retries while no server listens, and connects once a server does", async (dir) => {
  await using gpu = await fakeHost(dir, "gpu1");
  await gpu.stop();
  const waits: number[] = [];
  await using shell = sshShell(gpu.host, {
    sleep: async (ms) => {
      waits.push(ms);
      if (waits.length === 2) await gpu.start();
    },
  });
  assert.equal((await shell.run({ script: "exit 3" })).code, 3);
  assert.deepEqual(waits, [500, 2_000]);
});

test("sshShell() gives a hint for each kind of failed login", async (dir) => {
  await using gpu = await fakeHost(dir, "gpu1");
  const wrong = join(dir, "wrong.pub");
  await Deno.writeTextFile(wrong, "not a key");
  await Deno.chmod(wrong, 0o600);
  const strangers = join(dir, "strangers");
  const [place] = (await Deno.readTextFile(join(dir, "gpu1/known_hosts")))
    .split(" ");
  const other = await Deno.readTextFile(join(dir, "gpu1/user_key.pub"));
  await Deno.writeTextFile(strangers, `${place} ${other}`);
  const identity = (path: string): Host => ({
    ...gpu.host,
    ssh: { ...gpu.host.ssh, identity: path },
  });
  const ssh = gpu.host.ssh;
  const cases: [string, Host, RegExp][] = [
    [
      "unknown host key",
      withOptions(gpu.host, { UserKnownHostsFile: "/dev/null" }),
      /host key is unknown\n[^;]*; connect once in a terminal .*: ssh -p/,
    ],
    [
      "changed host key",
      withOptions(gpu.host, { UserKnownHostsFile: strangers }),
      /host key has changed\n[^;]*; .*ssh-keygen -R/,
    ],
    [
      "foreign key",
      identity(join(dir, "gpu1/host_key")),
      /accepts none of the offered keys\n[^;]*; .*ssh-copy-id/,
    ],
    ["broken key", identity(wrong), /private key cannot be used/],
    [
      "no key",
      identity(join(dir, "none")),
      /private key does not exist\n[^;]*; check ssh\.identity/,
    ],
    [
      "no such name",
      { name: "nowhere", ssh: { ...ssh, host: "gpu9.invalid" } },
      /name does not resolve\n[^;]*; check ssh\.host/,
    ],
    [
      "unknown option",
      withOptions(gpu.host, { ControlMastery: "no" }),
      /rejects the options for the host/,
    ],
  ];
  for (const [name, host, message] of cases) {
    await using shell = sshShell(host, noWait);
    await assert.rejects(shell.run({ script: "true" }), (error: Error) => {
      assert.ok(error instanceof HostError, `${name}: ${error}`);
      assert.match(String(error), message, name);
      return true;
    });
  }
});

test("sshShell() shares one connection, and ends it when closed", async (dir) => {
  await using gpu = await fakeHost(dir, "gpu1");
  const ports = new Set<string>();
  {
    await using shell = sshShell(gpu.host);
    for (let i = 0; i < 3; i++) {
      ports.add((await shell.run({ script: 'echo "$SSH_CLIENT"' })).stdout);
    }
  }
  assert.equal(ports.size, 1);
  await using again = sshShell(gpu.host);
  ports.add((await again.run({ script: 'echo "$SSH_CLIENT"' })).stdout);
  assert.equal(ports.size, 2);
});

test("sshShell().within() also ends processes outside the host's process group", async (dir) => {
  await using gpu = await fakeHost(dir, "gpu1");
  await using shell = sshShell(gpu.host);
  // Like a container's processes, these are not children of the program that was started.
  const inner = shell.within(["sh", "-c", 'setsid "$@" & wait', "engine"]);
  const direct = await shell.within(["sh", "-c", 'exec "$@"', "engine"]).run({
    script: 'printf "%s " "$A"; cat',
    env: { A: "1 '2'" },
    stdin: "3",
  });
  assert.deepEqual([direct.stdout, direct.code], ["1 '2' 3", 0]);
  const detached = shell.within(["sh", "-c", 'exec setsid -w "$@"', "engine"]);
  const stop = new AbortController();
  await assert.rejects(
    detached.run({ script: "echo up; sleep 4716" }, {
      signal: stop.signal,
      onLine: () => stop.abort(new Error("enough")),
    }),
    /enough/,
  );
  await until(async () => !await runs(gpu, "sleep 4716"));
  assert.match(
    inner.describe({ script: "ls" }),
    /^ssh .* 'sh -c '\\''setsid "\$@" & wait'\\'' engine sh -c ls'$/,
  );
});

test("sshShell() times out, or aborts on its signal, if a host accepts a connection and never answers", async (dir) => {
  await using gpu = await fakeHost(dir, "gpu1");
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken = silent.accept();
  const host = {
    ...gpu.host,
    ssh: { ...gpu.host.ssh, host: "127.0.0.1", port: silent.addr.port },
  };
  await using patient = sshShell(host, { connectTimeoutS: 60 });
  const stop = new AbortController();
  const started = performance.now();
  const running = patient.run({ script: "true" }, { signal: stop.signal });
  using _ = await taken;
  stop.abort(new Error("enough"));
  await assert.rejects(running, /enough/);
  assert.ok(performance.now() - started < 5_000);
  await using hasty = sshShell(host, { ...noWait, connectTimeoutS: 1 });
  await assert.rejects(
    hasty.run({ script: "true" }),
    /gpu1: the host cannot be reached\n[^;]*; check that the host is up/,
  );
});
