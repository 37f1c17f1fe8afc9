import assert from "node:assert/strict";
import { join } from "node:path";
import { HostError } from "../../../../env/errors.ts";
import { openHost } from "../../../../train/slime/hosts/host_shells.ts";
import { shellAt, wordsWithin } from "../../../../train/slime/hosts/place.ts";
import type { Shell } from "../../../../train/slime/hosts/shell.ts";
import { openFleet } from "../../../../train/slime/launch/fleet.ts";
import { formatManifest } from "../../../../train/slime/setup/manifest.ts";
import { placedShell } from "../../../../train/slime/setup/placed_shell.ts";
import {
  HAS_NAMESPACES,
  installDocker,
  type StandInDocker,
} from "../../../support/stand_in_docker.ts";
import { type FakeHost, fakeHost, HAS_SSHD } from "../../../support/sshd.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const IMAGE = "slimerl/slime:latest";
const C1 = { kind: "container", engine: "docker", name: "c1" } as const;

/**
 * Calls `body` with a host that has a container `c1`, in which the directory `shared` of `dir` is mounted as `/data`.
 */
async function withContainer(
  body: (world: {
    readonly dir: string;
    readonly host: FakeHost;
    readonly docker: StandInDocker;
  }) => Promise<void>,
): Promise<void> {
  await inTempDir(async (dir) => {
    await using host = await fakeHost(dir, "gpu1");
    await using docker = await installDocker(host.bin, join(dir, "docker"));
    await docker.publish(IMAGE, { files: { "/etc-of-image": "slime" } });
    await docker.docker("pull", IMAGE);
    await docker.docker(
      ...["run", "--detach", "--name", "c1", "--network", "none"],
      ...["--volume", `${join(dir, "shared")}:/data`],
      ...["--entrypoint", "sleep", IMAGE, "infinity"],
    );
    await body({ dir, host, docker });
  });
}

function test(
  name: string,
  body: Parameters<typeof withContainer>[0],
): void {
  Deno.test({
    name: `${name} (needs sshd and namespaces)`,
    ignore: !HAS_SSHD || !HAS_NAMESPACES,
    fn: () => withContainer(body),
  });
}

async function said(shell: Shell, script: string): Promise<string> {
  const { code, stdout, stderr } = await shell.run({ script });
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

async function fault(shell: Shell): Promise<string> {
  const error = await shell.run({ script: "true" }).then(
    () => assert.fail("it ran"),
    (error) => error,
  );
  assert.ok(error instanceof HostError);
  return `${error.message}; ${error.hint}`;
}

test("shellAt() runs commands in a container's root and network, with its environment and their own", async ({ dir, host }) => {
  await using shells = openHost(host.host);
  const shell = shellAt(shells, C1);
  assert.equal(shell.name, "gpu1");
  assert.equal(await said(shell, "cat /etc-of-image"), "slime");
  assert.equal(await said(shell, 'echo "$HOME $TAULAB_FAKE_HOST"'), "/root");
  assert.notEqual(
    await said(shell, "readlink /proc/self/ns/net"),
    await said(shells.host, "readlink /proc/self/ns/net"),
  );
  const { stdout } = await shell.run({
    script: 'tr a-z A-Z >out && cat out && echo "$KEY"',
    cwd: "/data",
    env: { KEY: "it's $1" },
    stdin: "in\n",
  });
  assert.equal(stdout, "IN\nit's $1\n");
  assert.equal(await Deno.readTextFile(join(dir, "shared/out")), "IN\n");
  assert.equal((await shell.run({ script: "exit 7" })).code, 7);
});

test("an aborted command in a container ends with everything that it started", async ({ host, docker }) => {
  await using shells = openHost(host.host);
  const end = new AbortController();
  await assert.rejects(
    shellAt(shells, C1).run(
      { script: "echo up; sleep 5021 & sleep 5021" },
      { signal: end.signal, onLine: () => end.abort(new Error("stop")) },
    ),
    /stop/,
  );
  const left = await docker.docker("exec", "-i", "c1", "ps", "-eo", "args=");
  assert.doesNotMatch(left, /sleep 5021/);
});

test("shellAt() reports what is wrong with a container, and how to fix it", async ({ host, docker }) => {
  await using shells = openHost(host.host);
  const at = (name: string, engine: "docker" | "podman" = "docker") =>
    shellAt(shells, { kind: "container", engine, name });
  assert.match(
    await fault(at("c2")),
    /^gpu1: there is no container "c2"[^]*No such container: c2\b[^]*; create it with "deno task setup"/,
  );
  assert.match(
    await fault(at("c1", "podman")),
    /^gpu1: podman is not installed[^]*; install podman/,
  );
  const cut = at("c1").run({ script: "echo up; sleep 5022" }, {
    onLine: () => void docker.docker("stop", "c1"),
  });
  await assert.rejects(
    cut,
    /^HostError: gpu1: the container "c1" stopped before the command ended \(exit status 137\)/,
  );
  assert.match(
    await fault(at("c1")),
    /^gpu1: the container "c1" is not running[^]*; start it with "docker start c1"/,
  );
  await docker.answers(false);
  assert.match(
    await fault(at("c1")),
    /^gpu1: docker does not respond[^]*; start it/,
  );
  await docker.answers(true);
  await host.stop();
  assert.match(await fault(at("c1")), /^gpu1: nothing listens on the ssh port/);
});

test("openFleet() rejects Ray in a container with its own network", async ({ host }) => {
  const hosts = [{ ...host.host, container: "c1" }];
  await using fleet = openFleet(hosts, { env: () => undefined });
  await assert.rejects(
    fleet.jobsOf({ jobsUrl: "http://127.0.0.1:8265", head: "gpu1" }),
    /"c1" of "gpu1" cannot be reached: its network is "none"/,
  );
});

test("placedShell() uses hosts.yaml, otherwise setup's manifest, otherwise the host itself", async ({ host }) => {
  await using shells = openHost(host.host);
  const plain = placedShell(shells, host.host);
  assert.deepEqual(await plain.place(), { kind: "host" });
  await Deno.mkdir(join(host.home, ".taulab"));
  const file = join(host.home, ".taulab/setup-gpu1.json");
  await Deno.writeTextFile(file, formatManifest({ place: C1, entries: [] }));
  assert.deepEqual(await plain.place(), { kind: "host" }, "asked once");
  const set = placedShell(shells, host.host);
  assert.equal(await said(set, "cat /etc-of-image"), "slime");
  assert.deepEqual(await set.place(), C1);
  assert.equal(await said(set.outside, "echo $HOME"), host.home);
  assert.match(set.describe({ script: "ray stop" }), /docker exec -i c1 sh -c/);
  const venv = placedShell(shells, { ...host.host, venv: "/opt/v" });
  assert.match(
    await said(venv, "echo $VIRTUAL_ENV $PATH"),
    /^\/opt\/v \/opt\/v\/bin:/,
  );
  await Deno.writeTextFile(file, "{}");
  await assert.rejects(placedShell(shells, host.host).place(), /DataError/);
});

Deno.test("shellAt() of a virtual environment on this machine finds its programs first", () =>
  inTempDir(async (dir) => {
    const venv = join(dir, "a b");
    await Deno.mkdir(join(venv, "bin"), { recursive: true });
    await Deno.writeTextFile(join(venv, "bin/ray"), "#!/bin/sh\necho own\n", {
      mode: 0o755,
    });
    await using shells = openHost(undefined);
    const shell = shellAt(shells, { kind: "venv", dir: venv });
    assert.equal(await said(shell, "ray"), "own");
    assert.deepEqual(wordsWithin({ kind: "venv", dir: venv }), []);
  }));
