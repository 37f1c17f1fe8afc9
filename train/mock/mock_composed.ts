/** Tasks that a benchmark's domain composes, as a command line asks for them. */

import type { ComposedBundle, ComposerPart } from "../../env/domain.ts";
import { type DomainName, domainNamed } from "../../env/domains/registry.ts";
import { ConfigError } from "../../env/errors.ts";
import { explainIssue, nearest } from "../../env/schema_issue.ts";
import { knownKeys } from "../../env/schema_keys.ts";
import { parseSet } from "../config/config.ts";
import type { MockOptions } from "./mock_world.ts";

/** How a domain composes tasks; `undefined` where it does not. */
export function composerOf(env: DomainName): ComposerPart | undefined {
  return domainNamed(env).bundle?.composer;
}

/**
 * Composes tasks.
 * @throws {ConfigError} If a knob is unknown or has a wrong value, or nothing fits them.
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
      ? `There is no knob "${key}"; the nearest is "${
        nearest(key, knownKeys(composer.options, [])) ?? ""
      }"`
      : `--set ${key}: ${explainIssue(issue, given[key])}`,
    {
      hint: "deno task mock --help --env NAME lists them",
      cause: parsed.error,
    },
  );
}
