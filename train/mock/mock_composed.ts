/** Composes tasks of a benchmark's domain from command-line settings. */

import { inEverySplit } from "../../env/audit/every_split.ts";
import { BASE_SPLIT } from "../../env/benchmarks/tau3/load_bundle.ts";
import { tau3Bench } from "../../env/benchmarks/tau3/tau3_bench.ts";
import type { ComposedBundle, ComposerPart } from "../../env/domain.ts";
import { type DomainName, domainNamed } from "../../env/domains/registry.ts";
import { ConfigError } from "../../env/errors.ts";
import { explainIssue, suggestion } from "../../env/schema_issue.ts";
import { knownKeys } from "../../env/schema_keys.ts";
import { parseSet } from "../config/config.ts";
import { type Exclusion, formatExclusions } from "../config/exclusions.ts";
import { certifyComposed, uncertified } from "./certify_composed.ts";
import { writeFiles } from "./mock_files.ts";
import type { MockOptions } from "./mock_world.ts";

/** Returns the composer of a domain; `undefined` if it has none. */
export function composerOf(env: DomainName): ComposerPart | undefined {
  return domainNamed(env).bundle?.composer;
}

/** The name of the file with a composed world's certificates, in the world's directory. */
export const CERTIFICATES = "certificates.jsonl";

/** The name of the file that lists the tasks that are not certified, for `--exclude`. */
export const EXCLUDED = "excluded.yaml";

/**
 * Reads a world as the benchmark does, certifies each task, and writes the certificates alongside it.
 * @returns The exclusions for the uncertified tasks, in all their splits. They are also written to
 * {@linkcode EXCLUDED}.
 */
export async function certifyWorld(
  out: string,
  { env, signal, onTask }: {
    readonly env: DomainName;
    readonly signal?: AbortSignal | undefined;
    readonly onTask?: () => void;
  },
): Promise<Exclusion[]> {
  const dataset = await tau3Bench(out, { domain: domainNamed(env).name });
  const tasks = dataset.tasks(BASE_SPLIT);
  const certificates = await certifyComposed(dataset, {
    tasks,
    signal,
    ...onTask && { onTask },
  });
  const excluded = inEverySplit(uncertified(certificates), dataset);
  const lines = certificates.map((one) => `${JSON.stringify(one)}\n`);
  await writeFiles(out, [
    { path: CERTIFICATES, text: lines.join("") },
    {
      path: EXCLUDED,
      text: formatExclusions(excluded, "Tasks that are not certified."),
    },
  ]);
  return excluded;
}

/**
 * Composes the requested number of tasks from settings.
 * @throws {ConfigError} If a setting is unknown or has an invalid value, or no task satisfies the settings.
 */
export function mockComposed(
  composer: ComposerPart,
  { count, seed, set }: Pick<MockOptions, "count" | "seed" | "set">,
): ComposedBundle {
  const given = Object.fromEntries(
    set.map(parseSet).map(({ path, value }) => [path.join("."), value]),
  );
  const parsed = composer.options.safeParse(given);
  if (parsed.success) {
    return composer.compose({ seed, count, options: parsed.data });
  }
  const [issue] = parsed.error.issues;
  const key = issue?.code === "unrecognized_keys"
    ? issue.keys[0] ?? ""
    : String(issue?.path[0] ?? "");
  throw new ConfigError(
    issue?.code === "unrecognized_keys" || issue === undefined
      ? `Unknown setting "${key}"${
        suggestion(key, knownKeys(composer.options, []))
      }`
      : `--set ${key}: ${explainIssue(issue, given[key])}`,
    {
      hint: 'run "deno task mock --help --env NAME" to list the settings',
      cause: parsed.error,
    },
  );
}
