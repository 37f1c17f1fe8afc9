/** Checks the inference engines of a run in progress. */

import { z } from "zod";
import { ROUTER_KEY } from "../../router_key.ts";
import type { SlimeConfig } from "../../slime_schema.ts";
import { askJson } from "../http_question.ts";
import type { Shell } from "../../hosts/shell.ts";
import { readListeners } from "../listeners.ts";
import {
  type Check,
  type CheckContext,
  fail,
  type Observed,
  pass,
  skipped,
  warn,
} from "../check.ts";

/** The `engines` check. */
export const check: Check = {
  id: "engines",
  order: 200,
  title: "the router has all engines, and each engine generates text",
  when: "running",
  timeoutMs: 120_000,
  async run({ config, batch, hosts: [head], reach, env, signal }) {
    const router = await routerUrl(config, { head, signal });
    const answer = await askJson(`${reach(router)}/workers`, {
      schema: z.looseObject({
        workers: z.array(z.looseObject({ url: z.string() })),
      }),
      token: env(ROUTER_KEY) || undefined,
      signal,
    });
    if (!answer.ok) {
      return [fail(
        `the router at ${router} ${answer.fault}`,
        answer.status === 401
          ? `set ${ROUTER_KEY} to the router's key`
          : "wait until slime has started the router, or fix cluster.address (the head's own address) and engine.routerPort",
      )];
    }
    const urls = answer.value.workers.map(({ url }) => url);
    const health = await Promise.all(
      urls.map((url) => lookAt(url, { config, reach, signal })),
    );
    return [counted(urls.length, batch.engines), ...health.flat()];
  },
};

/**
 * Returns the URL of the router that slime starts. The router listens on the address that the head uses to reach other
 * hosts, not on loopback. If the head does not report that address, the recipe's `cluster.address` is used.
 * @see slime `slime/utils/http_utils.py` (`get_host_info`) at 624b824.
 */
async function routerUrl(
  { cluster, engine }: SlimeConfig,
  { head, signal }: { head: Shell | undefined; signal: AbortSignal },
): Promise<string> {
  const listeners = head === undefined
    ? []
    : await readListeners(head, { signal });
  const router = listeners.find(({ port }) => port === engine.routerPort);
  const address = router === undefined || router.address === "*"
    ? cluster.address
    : router.address;
  return `http://${address}:${engine.routerPort}`;
}

function counted(there: number, planned: number): Observed {
  if (there === planned) return pass(`the router has all engines (${planned})`);
  return fail(
    `the router has too ${
      there < planned ? "few" : "many"
    } engines: ${there} instead of ${planned}`,
    there < planned
      ? "wait while engines are loading; if they have exited, find the reason in the job's log, and lower engine.memory if they ran out of memory"
      : "stop the engines of an earlier run, or set engine.routerPort to another port",
  );
}

/**
 * Checks one engine. A colocated engine is asked to generate only while it has requests: if it is idle, training may be
 * using its memory, and a generation would then break the run.
 */
async function lookAt(
  url: string,
  { config, reach, signal }: Pick<CheckContext, "config" | "reach" | "signal">,
): Promise<Observed[]> {
  const options = { schema: z.unknown(), signal };
  const there = reach(url);
  if (config.cluster.colocate) {
    const loads = await askJson(`${there}/v1/loads?include=core`, options);
    if (!loads.ok) return [dead(url, loads.fault)];
    if (requestsIn(loads.value) === 0) {
      return [skipped(
        `${url} is up and idle: training may be using its memory, so it was not asked to generate; run the doctor again during a rollout`,
      )];
    }
  }
  const answer = await askJson(`${there}/health_generate`, {
    ...options,
    timeoutMs: 60_000,
  });
  if (answer.ok) return [pass(`${url} generates`)];
  if (!config.cluster.colocate) return [dead(url, answer.fault)];
  return [warn(
    `${url}/health_generate ${answer.fault}`,
    "run the doctor again during a rollout; if it still fails, see the engine's lines in the job's log",
  )];
}

function dead(url: string, fault: string): Observed {
  return fail(
    `${url} ${fault}`,
    "find out from the job's log why the engine exited or hangs, and lower engine.memory if it ran out of memory",
  );
}

/**
 * Returns the number of an engine's running and waiting requests, given the load report of any version of SGLang; 0 if
 * the report does not contain it.
 * @see slime `slime/backends/sglang_utils/server_control.py` at 624b824.
 */
export function requestsIn(load: unknown): number {
  if (Array.isArray(load)) {
    return load.reduce<number>((sum, one) => sum + requestsIn(one), 0);
  }
  if (typeof load !== "object" || load === null) return 0;
  const fields = load as Readonly<Record<string, unknown>>;
  if (fields["loads"] !== undefined) return requestsIn(fields["loads"]);
  const numbers = (...names: string[]) =>
    names.map((name) => fields[name]).find((value) =>
      typeof value === "number"
    );
  const all = numbers("num_reqs", "num_total_reqs", "total_reqs");
  if (all !== undefined) return Number(all);
  return Number(numbers("num_running_reqs", "total_running_reqs") ?? 0) +
    Number(numbers("num_waiting_reqs", "total_waiting_reqs") ?? 0);
}
