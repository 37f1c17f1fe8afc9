/** Parses the command-line flags that select the episodes to export. */

import { ConfigError } from "../../env/errors.ts";
import type { ExportChoice } from "./export.ts";
import { FilterError, readExpression, readQuery } from "./page/filter.js";

/**
 * Converts the flags to a choice of episodes.
 * @param options.episodes Ids and ranges of ids, such as `1,5-9`.
 * @param options.filter A filter such as `reward<1 and step=40`, or the page's query string.
 * @throws {ConfigError} If one of the flags cannot be parsed or if both are given.
 */
export function readChoice(
  { episodes, filter }: {
    readonly episodes?: string | undefined;
    readonly filter?: string | undefined;
  },
): Pick<ExportChoice, "ids" | "filter"> {
  if (episodes !== undefined && filter !== undefined) {
    throw new ConfigError("--episodes and --filter cannot be used together", {
      hint: "pass only one of them",
    });
  }
  return {
    ids: episodes === undefined ? undefined : readIds(episodes),
    filter: readFilter(filter ?? ""),
  };
}

function readFilter(text: string): URLSearchParams {
  try {
    const params = readExpression(text);
    readQuery(params);
    return params;
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new ConfigError(`--filter: ${error.message}`, { cause: error });
  }
}

/** The maximum length of a range of ids. */
const MAX_RANGE = 100_000;

function readIds(text: string): number[] {
  const ids = text.split(",").flatMap((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (match === null || from < 1 || to < from) {
      throw new ConfigError(
        `--episodes must be a list of ids, but it is "${text}"`,
        { hint: "pass ids from 1 and ascending ranges, such as 1,5-9" },
      );
    }
    if (to - from >= MAX_RANGE) {
      throw new ConfigError(
        `--episodes "${text}": "${part}" selects more than ${MAX_RANGE} episodes`,
        { hint: "omit --episodes, and pass --limit N" },
      );
    }
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
  return [...new Set(ids)];
}
