/** Replays recordings of τ³-bench's airline and retail domains, one call at a time, on the benchmark's data. */

import { gunzipSync } from "node:zlib";
import type { Databases, Domain } from "../../env/domain.ts";
import { domainNamed } from "../../env/domains/registry.ts";
import { callBundle } from "../../env/domains/shared/toolkit/bundle_call.ts";
import {
  type JsonObject,
  parsePythonJson,
} from "../../env/python/python_json.ts";
import { TAU3_BENCH } from "./tau3_bench.ts";
import { at, objectsAt } from "./telecom_world.ts";

/** The directory that contains the schemas of τ³-bench's tools. */
export const TAU3_TOOLS = `${TAU3_BENCH}/tools`;

/** A domain in which users have no tools, with its initial database. */
export interface BundleWorld {
  readonly domain: Domain & { bundle: NonNullable<Domain["bundle"]> };
  readonly base: Databases;
  /** The hash of the initial database, in lowercase hex. */
  readonly hash: string;
  readonly name: string;
}

/** Opens a domain of τ³-bench with the benchmark's data. */
export function bundleWorld(name: string): BundleWorld {
  const domain = domainNamed(name, "tau3") as BundleWorld["domain"];
  const data = unpacked(`${dataOf(name)}/db.json.gz`);
  const base = domain.bundle.load({ agent: parsePythonJson(data) });
  return { domain, base, name, hash: domain.bundle.hash(base.agent, "agent") };
}

/**
 * Makes the calls of a record, and compares results and state hashes with the recorded ones. If the `tier` of a step is
 * `internal`, the text of its result is not compared, because the recorded text is the message of an error inside
 * Python.
 * @param calls One call per step.
 * @returns A sentence for each difference.
 */
export function replayRecord(
  { domain, base, hash: untouched }: BundleWorld,
  record: JsonObject,
  calls: readonly JsonObject[],
): string[] {
  const agent = base.agent.fork();
  const differences: string[] = [];
  let [hash, expectedHash] = [untouched, untouched];
  for (const [i, step] of objectsAt(record, "steps").entries()) {
    const call = calls[i]!;
    const before = agent.fork();
    const { content, error } = callBundle(domain, { agent }, {
      requestor: call.get("requestor") === "user" ? "user" : "agent",
      name: String(call.get("name")),
      arguments: call.get("arguments") as JsonObject,
    });
    if (!domain.bundle.isSame(before, agent, "agent")) {
      hash = domain.bundle.hash(agent, "agent");
    }
    if (step.has("db")) expectedHash = String(step.get("db"));
    const isLoose = step.get("tier") === "internal";
    const isRight = error === (step.get("error") ?? false) &&
      hash === expectedHash && (isLoose || content === step.get("content"));
    if (isRight) continue;
    const where = `${record.get("case") ?? record.get("task_id")}, step ${i}`;
    differences.push(
      `${where}, ${call.get("name")}: ${content} instead of ${
        step.get("content")
      }, hash ${hash} instead of ${expectedHash}`,
    );
  }
  if (hash !== at(record, "final", "db")) differences.push("final hash");
  return differences;
}

function dataOf(name: string): string {
  return `${TAU3_BENCH}/data/tau2/domains/${name}`;
}

function unpacked(path: string): string {
  return new TextDecoder().decode(gunzipSync(Deno.readFileSync(path)));
}
