/** Makes the same calls in taulab's versions of τ³-bench's airline and retail domains and in the Python original. */

import { readFileSync } from "node:fs";
import type { Database } from "../../env/database.ts";
import type { Domain, Side } from "../../env/domain.ts";
import { domainNamed } from "../../env/domains/registry.ts";
import {
  type BundleAnswer,
  callBundle,
} from "../../env/domains/shared/toolkit/bundle_call.ts";
import {
  type JsonObject,
  type JsonValue,
  parsePythonJson,
  printPythonJson,
} from "../../env/python/python_json.ts";
import { askPython } from "./ask_python.ts";
import { tau2Packages } from "./tau2_oracle.ts";

/** A call to make in both implementations. */
export interface PlayedCall {
  readonly requestor: Side;
  readonly name: string;
  readonly arguments: JsonObject;
}

/** A domain whose users have no tools, with the data from the Python package. */
export interface PlayWorld {
  readonly domain: Domain & { bundle: NonNullable<Domain["bundle"]> };
  readonly base: Database;
}

/** Opens a domain of τ³-bench with the data from the Python package. */
export function playWorld(name: string): PlayWorld {
  const domain = domainNamed(name, "tau3") as PlayWorld["domain"];
  const path = `${tau2Packages()}/tau2/data/tau2/domains/${name}/db.json`;
  const data = parsePythonJson(readFileSync(path, "utf8"));
  return { domain, base: domain.bundle.load({ agent: data }).agent };
}

/** The calls that were made in taulab, their results, and the hash of the final state. */
export interface Played {
  readonly calls: readonly PlayedCall[];
  readonly answers: readonly BundleAnswer[];
  readonly hash: string;
}

/** A function that draws the next call, based on the state after the earlier calls. */
export type DrawCall = (database: Database) => PlayedCall;

/** Draws `count` calls and makes them in taulab. */
export function playCalls(
  { domain, base }: PlayWorld,
  draw: DrawCall,
  count: number,
): Played {
  const agent = base.fork();
  const calls: PlayedCall[] = [];
  const answers: BundleAnswer[] = [];
  for (let i = 0; i < count; i++) {
    const call = draw(agent);
    calls.push(call);
    answers.push(callBundle(domain, { agent }, call));
  }
  return { calls, answers, hash: domain.bundle.hash(agent, "agent") };
}

/** The result of a call in the Python package. */
interface Step {
  readonly content: string;
  /** The class name of the exception that was raised; `null` if there was none. */
  readonly error: string | null;
}

/** The result of {@linkcode compareWithTau2}. */
export interface Comparison {
  readonly calls: number;
  readonly errors: number;
  /** A sentence for each difference. */
  readonly differences: readonly string[];
}

/**
 * Makes the same calls in the Python package and compares the results. The messages of errors that Python itself raised
 * may differ.
 */
export async function compareWithTau2(
  { domain: { name } }: PlayWorld,
  played: readonly Played[],
): Promise<Comparison> {
  const cases = played.map(({ calls }) => calls.map(callObject));
  const input = new Map<string, JsonValue>([["domain", name], [
    "cases",
    cases,
  ]]);
  const results = await askPython(
    "ask_tau2.py",
    printPythonJson(input),
  ) as { steps: Step[]; hash: string }[];
  const steps = results.flatMap(({ steps }) => steps);
  return {
    calls: steps.length,
    errors: steps.filter(({ error }) => error !== null).length,
    differences: played.flatMap((one, i) =>
      differencesOf(one, results[i]!).map((text) => `case ${i}, ${text}`)
    ),
  };
}

function callObject({ requestor, name, arguments: args }: PlayedCall) {
  return new Map<string, JsonValue>([
    ["requestor", requestor === "user" ? "user" : "assistant"],
    ["name", name],
    ["arguments", args],
  ]);
}

function differencesOf(
  { calls, answers, hash }: Played,
  theirs: { readonly steps: readonly Step[]; readonly hash: string },
): string[] {
  const differences = theirs.steps.flatMap((step, i) => {
    const { content, error } = answers[i]!;
    const isRight = error === (step.error !== null) &&
      (content === step.content || isPythonsOwn(step));
    if (isRight) return [];
    const { name, arguments: args } = calls[i]!;
    const call = `${name}(${printPythonJson(args)})`;
    return [
      `call ${i}, ${call}: ${content} is ${step.content} (${step.error})`,
    ];
  });
  return hash === theirs.hash
    ? differences
    : [...differences, "the states at the end differ"];
}

/**
 * Checks whether Python itself raised the exception of a step. Exceptions for arguments that do not match a function's
 * parameters do not count.
 */
function isPythonsOwn({ content, error }: Step): boolean {
  return /^(TypeError|AttributeError|SyntaxError|IndexError|OverflowError|PydanticSerializationError)$/
    .test(error ?? "") && !/\(\) (got|missing)/.test(content);
}
