import assert from "node:assert/strict";
import { ConfigError, HostError } from "../../../../env/errors.ts";
import type { Check } from "../../../../train/slime/doctor/check.ts";
import {
  chooseChecks,
  preflight,
} from "../../../../train/slime/doctor/doctor.ts";
import { examine } from "../../../../train/slime/doctor/run_check.ts";
import { limitedShell } from "../../../../train/slime/doctor/limited_shell.ts";
import type { Shell } from "../../../../train/slime/hosts/shell.ts";
import {
  checkContext,
  gpuRows,
  IDLE_GPUS,
  slimeOf,
  toldShell,
} from "../../../support/doctor.ts";

function now(aheadS = 0): string {
  return `${Math.floor(Date.now() / 1000) + aheadS}\n`;
}

/** Creates a host that never answers and ignores its signal. */
function hangingShell(name: string): Shell {
  return {
    name,
    describe: ({ script }) => `ssh ${name} ${script}`,
    run: () => new Promise(() => {}),
  };
}

function goneShell(name: string): Shell {
  return {
    ...hangingShell(name),
    run: () => Promise.reject(new HostError(`${name}: no route to it`)),
  };
}

function check(run: Check["run"], more: Partial<Check> = {}): Check {
  return { id: "any", order: 1, title: "anything", run, ...more };
}

Deno.test("preflight() reports every host, and is healthy only without a fail", async () => {
  const host = (name: string, count: number) =>
    toldShell({
      "date +%s": now(),
      "query-gpu": gpuRows(count),
      "query-compute": "",
    }, name);
  const config = slimeOf();
  const only = ["gpus"];
  const well = await preflight(config, { hosts: [host("gpu1", 2)], only });
  assert.equal(well.healthy, true, JSON.stringify(well.findings));
  const ill = await preflight(config, {
    hosts: [host("gpu1", 2), host("gpu2", 1)],
    only,
  });
  assert.equal(ill.healthy, false);
  assert.deepEqual(
    ill.findings.map(({ host, check, state }) => [check, host, state]),
    [
      ["hosts", "gpu1", "pass"],
      ["hosts", "gpu2", "pass"],
      ["gpus", "gpu1", "pass"],
      ["gpus", "gpu2", "fail"],
    ],
  );
});

Deno.test("preflight() reports an unreachable host once, and checks the others", async () => {
  const here = toldShell({
    "date +%s": now(),
    "query-gpu": IDLE_GPUS,
    "query-compute": "",
  });
  const { findings } = await preflight(slimeOf(), {
    hosts: [here, goneShell("gpu2"), hangingShell("gpu3")],
    only: ["gpus"],
    timeoutMs: 50,
  });
  const [first, second, third, ...rest] = findings;
  assert.equal(first?.state, "pass");
  assert.match(second!.found, /gpu2: no route to it/);
  assert.match(third!.found, /did not answer within 0\.05 s/);
  assert.ok(second!.state === "fail" && /ssh gpu2 date/.test(second!.fix));
  assert.deepEqual(rest.map(({ host, state }) => [host, state]), [[
    "gpu1",
    "pass",
  ]]);
});

Deno.test("preflight() warns of clocks that differ", async () => {
  const ahead = toldShell({ "date +%s": now(90) });
  const { findings } = await preflight(slimeOf(), {
    hosts: [ahead],
    only: ["batch"],
  });
  const [clock] = findings;
  assert.equal(clock?.state, "warn");
  assert.match(clock!.found, /clock is (89|90|91) s ahead of this machine's/);
});

Deno.test("preflight() throws the signal's reason when it is aborted", async () => {
  const controller = new AbortController();
  const asked = preflight(slimeOf(), {
    hosts: [hangingShell("gpu1")],
    only: ["gpus"],
    signal: controller.signal,
  });
  controller.abort(new Error("enough"));
  await assert.rejects(asked, /enough/);
});

Deno.test("chooseChecks() selects the named checks, and suggests the nearest for an unknown one", () => {
  const ids = (options: Parameters<typeof chooseChecks>[0]) =>
    chooseChecks(options).map(({ id }) => id);
  assert.deepEqual(ids({ only: ["ray", "gpus"] }), ["gpus", "ray"]);
  assert.ok(!ids({}).includes("engines"));
  assert.ok(!ids({ skip: ["gpus"] }).includes("gpus"));
  assert.deepEqual(ids({ running: true }), ["place", "services", "engines"]);
  assert.throws(
    () => chooseChecks({ skip: ["gpu"] }),
    (error) =>
      error instanceof ConfigError && /did you mean "gpus"\?/.test(error.hint!),
  );
});

Deno.test("examine() times out a check that hangs, and reports it", async () => {
  let aborted = false;
  const hangs = check(({ signal }) => {
    signal.addEventListener("abort", () => aborted = true);
    return new Promise(() => {});
  });
  const [finding] = await examine(hangs, checkContext(slimeOf()), 20);
  assert.match(finding!.found, /timed out after 0\.02 s/);
  assert.ok(finding!.state === "fail" && /--timeout/.test(finding!.fix));
  assert.equal(aborted, true);
});

Deno.test("examine() turns thrown errors into findings: taulab's with their hint, others as bugs", async () => {
  const context = checkContext(slimeOf());
  const ours = check(() =>
    Promise.reject(new ConfigError("It is red", { hint: "paint it green" }))
  );
  assert.deepEqual(await examine(ours, context), [{
    check: "any",
    state: "fail",
    found: "It is red",
    fix: "paint it green",
  }]);
  const bug = check(() => {
    throw new TypeError("x is not a function");
  });
  const [found] = await examine(bug, context);
  assert.match(found!.found, /check itself failed: TypeError: x is not/);
});

Deno.test("limitedShell() limits the commands that run at once, in order, and continues after a failure", async () => {
  let [running, most] = [0, 0];
  const order: string[] = [];
  const shell = limitedShell({
    ...hangingShell("gpu1"),
    async run({ script }) {
      most = Math.max(most, ++running);
      order.push(script);
      await Promise.resolve();
      running--;
      if (script === "2") throw new HostError("lost");
      return { code: 0, stdout: "", stderr: "" };
    },
  }, 2);
  const scripts = Array.from({ length: 9 }, (_, i) => String(i));
  const ends = await Promise.allSettled(
    scripts.map((script) => shell.run({ script })),
  );
  assert.equal(most, 2);
  assert.deepEqual(order, scripts);
  assert.equal(ends.filter(({ status }) => status === "rejected").length, 1);
});
