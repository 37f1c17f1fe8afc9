import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError } from "../../../../env/errors.ts";
import {
  hostAddress,
  parseHosts,
  pickHosts,
  placeOf,
  readHosts,
  readThisHost,
} from "../../../../train/slime/hosts/hosts_file.ts";
import { inTempDir } from "../../../support/temp_dir.ts";
import { sshTarget } from "../../../../train/slime/hosts/ssh_shell.ts";

const text = `# two hosts
gpu1:
  address: 10.0.0.11
  ssh:
    user: trainer
    port: 2222
    identity: ~/.ssh/gpu
    options: { ProxyJump: door }
  gpus: 8
gpu2:
`;
const file = { name: "hosts.yaml", text };

Deno.test("parseHosts() reads hosts in the file's order, each with its ssh settings", () => {
  const [one, two] = parseHosts(file);
  assert.deepEqual(sshTarget(one!), [
    ...["-p", "2222", "-i", "~/.ssh/gpu", "-o", "IdentitiesOnly=yes"],
    ...["-o", "ProxyJump=door", "-l", "trainer", "gpu1"],
  ]);
  assert.deepEqual(sshTarget(two!), ["gpu2"]);
  assert.deepEqual([one, two].map((host) => hostAddress(host!)), [
    "10.0.0.11",
    "gpu2",
  ]);
});

Deno.test("parseHosts() names the line and the nearest key", () => {
  const cases: [string, string, RegExp][] = [
    [
      "identity",
      "identiy",
      /hosts\.yaml:7: .*did you mean "gpu1\.ssh\.identity"\?/,
    ],
    ["port: 2222", "port: ssh", /hosts\.yaml:6: gpu1\.ssh\.port/],
    [
      "user: trainer",
      "user: -oProxyCommand=x",
      /hosts\.yaml:5: gpu1\.ssh\.user/,
    ],
    ["gpu2:", "-gpu2:", /"-gpu2" is not a valid host name/],
    ["gpu2:", "gpu2: [", /hosts\.yaml:11:1: the hosts file is not YAML/],
  ];
  for (const [from, to, message] of cases) {
    assert.throws(
      () => parseHosts({ ...file, text: text.replace(from, to) }),
      (error: Error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, message);
        return true;
      },
    );
  }
  assert.throws(() => parseHosts({ ...file, text: "- gpu1" }), ConfigError);
});

Deno.test("pickHosts() keeps the given order and rejects unknown and repeated names", () => {
  const hosts = parseHosts(file);
  const names = pickHosts(hosts, ["gpu2", "gpu1"]).map(({ name }) => name);
  assert.deepEqual(names, ["gpu2", "gpu1"]);
  assert.throws(
    () => pickHosts(hosts, ["gpu3"]),
    /no host "gpu3"; did you mean "gpu1"\?/,
  );
  assert.throws(() => pickHosts(hosts, ["gpu1", "gpu1"]), /listed twice/);
});

Deno.test("readHosts() reads no file if no host is named, and names the host if the file is missing", async () => {
  assert.deepEqual(await readHosts("nowhere.yaml", []), []);
  await assert.rejects(
    readHosts("nowhere.yaml", ["gpu1"]),
    /reach "gpu1": there is no file "nowhere\.yaml"; create the file, for example with/,
  );
});

Deno.test("placeOf() returns a host's container or virtual environment, and rejects both", () => {
  const placesOf = (text: string) =>
    parseHosts({ name: "hosts.yaml", text }).map(placeOf);
  assert.deepEqual(
    placesOf(`a: { container: c }
b: { container: c, engine: podman }
c: { venv: ~/slime }
d:
`),
    [
      { kind: "container", engine: "docker", name: "c" },
      { kind: "container", engine: "podman", name: "c" },
      { kind: "venv", dir: "~/slime" },
      undefined,
    ],
  );
  for (
    const [text, message] of [
      ["a: { container: c, venv: /v }", /"a" has both a container and a venv/],
      ["a: { container: -c }", /a\.container/],
      ["a: { engine: lxc }", /a\.engine/],
      [
        "this: { ssh: { user: me } }",
        /"this" must have no ssh settings.*; remove its ssh/,
      ],
    ] as const
  ) assert.throws(() => placesOf(text), message);
});

Deno.test("readThisHost() reads this machine's entry, and returns nothing if there is no file", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "hosts.yaml");
    assert.equal(await readThisHost(path), undefined);
    await Deno.writeTextFile(path, "gpu1:\n");
    assert.equal(await readThisHost(path), undefined);
    await Deno.writeTextFile(path, "gpu1:\nthis: { container: c }\n");
    assert.equal((await readThisHost(path))?.container, "c");
  }));
