import assert from "node:assert/strict";
import { ConfigError } from "../../../../env/errors.ts";
import {
  hostAddress,
  parseHosts,
  pickHosts,
  readHosts,
} from "../../../../train/slime/hosts/hosts_file.ts";
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

Deno.test("parseHosts() reads hosts in the file's order, each with what ssh needs", () => {
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

Deno.test("parseHosts() names the line and what was meant", () => {
  const cases: [string, string, RegExp][] = [
    [
      "identity",
      "identiy",
      /hosts\.yaml:7: .*the nearest is "gpu1\.ssh\.identity"/,
    ],
    ["port: 2222", "port: ssh", /hosts\.yaml:6: gpu1\.ssh\.port/],
    [
      "user: trainer",
      "user: -oProxyCommand=x",
      /hosts\.yaml:5: gpu1\.ssh\.user/,
    ],
    ["gpu2:", "-gpu2:", /"-gpu2" is no name of a host/],
    ["gpu2:", "gpu2: [", /hosts\.yaml:11:1: the file of hosts is not YAML/],
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

Deno.test("pickHosts() keeps the order asked for and refuses strangers and doubles", () => {
  const hosts = parseHosts(file);
  const names = pickHosts(hosts, ["gpu2", "gpu1"]).map(({ name }) => name);
  assert.deepEqual(names, ["gpu2", "gpu1"]);
  assert.throws(
    () => pickHosts(hosts, ["gpu3"]),
    /no host "gpu3"; the nearest/,
  );
  assert.throws(() => pickHosts(hosts, ["gpu1", "gpu1"]), /named twice/);
});

Deno.test("readHosts() reads no file where no host is named, and says which host one is missing for", async () => {
  assert.deepEqual(await readHosts("nowhere.yaml", []), []);
  await assert.rejects(
    readHosts("nowhere.yaml", ["gpu1"]),
    /no "nowhere\.yaml" that says how "gpu1" is reached; write one, as in/,
  );
});
