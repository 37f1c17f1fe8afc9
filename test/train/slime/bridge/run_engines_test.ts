import assert from "node:assert/strict";
import { engineHostsOf } from "../../../../train/slime/bridge/run_engines.ts";
import { serverOverrides } from "../../../../train/slime/plan/plan_cluster.ts";
import { resolveSlime } from "../../../../train/slime/slime_config.ts";

function configOf(recipe: object, overrides: readonly string[] = []) {
  const text = JSON.stringify({ trainer: "slime", ...recipe });
  return resolveSlime(
    { name: "r", text },
    overrides.map((one) => {
      const at = one.indexOf("=");
      const value = JSON.parse(one.slice(at + 1));
      return { path: one.slice(0, at).split("."), value, origin: one };
    }),
  ).config;
}

Deno.test("engineHostsOf() allows the hosts that a recipe names", async () => {
  const hosts = engineHostsOf(
    configOf({
      cluster: {
        address: "10.0.0.11",
        env: { SLIME_HOST_IP: "10.9.0.11" },
      },
      bridge: { allowEngines: ["10.0.0.13:3100"] },
    }),
    ["fd00::5"],
  );
  for (
    const origin of [
      "http://127.0.0.1:1",
      "http://10.0.0.11:3100",
      "http://10.9.0.11:3100",
      "http://10.0.0.13:3100",
      "http://[fd00::5]:3100",
    ]
  ) {
    assert.ok(await hosts.allows(origin), origin);
  }
  assert.ok(!await hosts.allows("http://10.0.0.13:3101"));
  assert.ok(!await hosts.allows("http://10.0.0.15:3100"));
});

Deno.test("engineHostsOf() rejects an invalid host", () => {
  for (const bad of ["http://gpu1:3100", "gpu1/x", "gpu 1"]) {
    assert.throws(() => engineHostsOf(configOf({}), [bad]), {
      name: "ConfigError",
      message:
        `The address of an engine must be HOST or HOST:PORT, but it is "${bad}"`,
    });
  }
});

Deno.test("serverOverrides() gives servers all hosts of a run, and none if it runs on this machine", async () => {
  const config = configOf({ bridge: { allowEngines: ["10.0.0.9:1"] } });
  const none = serverOverrides(config, { data: null, engines: ["127.0.0.1"] });
  assert.deepEqual(none.filter((one) => one.startsWith("bridge")), []);
  const engines = ["10.0.0.11", "10.0.0.12", "192.168.7.12"];
  const [told] = serverOverrides(config, { data: null, engines })
    .filter((one) => one.startsWith("bridge"));
  const hosts = engineHostsOf(
    configOf({ bridge: { allowEngines: ["10.0.0.9:1"] } }, [told!]),
  );
  for (const host of [...engines, "10.0.0.9"]) {
    assert.ok(await hosts.allows(`http://${host}:1`), host);
  }
  assert.ok(!await hosts.allows("http://10.0.0.9:2"));
});
