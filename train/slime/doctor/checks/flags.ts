/**
 * Checks every flag of the run with the parsers of the installed slime. If these cannot be read, checks only the flags
 * in the recipe's `flags`.
 */

import { DataError } from "../../../../env/errors.ts";
import { nearest } from "../../../../env/schema_issue.ts";
import { unknownFlags } from "../../plan/flag_check.ts";
import { type TrainFlag, trainFlags } from "../../plan/flags.ts";
import type { ResolvedSlime } from "../../slime_config.ts";
import {
  type Check,
  fail,
  type Observed,
  onEachHost,
  verdict,
  warn,
} from "../check.ts";
import { type ParserFlag, readHostFlags } from "../host_flags.ts";

/** The `flags` check. */
export const check: Check = {
  id: "flags",
  order: 155,
  title: "the installed slime has every flag that the run passes",
  // slime's parsers import PyTorch, SGLang and Megatron-LM.
  timeoutMs: 300_000,
  run: (context) =>
    onEachHost(context.hosts.slice(0, 1), async (head) => {
      try {
        return judge(context, await readHostFlags(head, context));
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        return byList(context, error.message);
      }
    }),
};

function judge(
  slime: ResolvedSlime,
  known: ReadonlyMap<string, ParserFlag>,
): readonly Observed[] {
  const flags = flagsOf(slime);
  return verdict(
    flags.flatMap((flag) => faultsOf(flag, known)),
    `the installed slime has all ${flags.length} flags of the run`,
  );
}

/** Returns the run's flags. Paths are placeholders, since parsers do not check them. */
function flagsOf(slime: ResolvedSlime): TrainFlag[] {
  return trainFlags(slime, {
    run: "run",
    checkpoints: "/run",
    huggingFace: slime.config.checkpoint.huggingFace,
    promptData: "/run",
    evalData: [{ name: "dev", path: "/run" }],
    settings: "/run",
    routerPolicy: null, // checked by `router`
  });
}

function faultsOf(
  { flag, values, from }: TrainFlag,
  known: ReadonlyMap<string, ParserFlag>,
): Observed[] {
  const there = known.get(flag);
  if (there === undefined) {
    return [fail(
      `the installed slime has no flag ${flag} (${from}), and would silently ignore it`,
      `use the commit that "deno task setup" pins${
        from.startsWith("flags.")
          ? `, or use the most similar flag, "${
            nearest(flag, [...known.keys()])
          }"`
          : ""
      }`,
    )];
  }
  const { arity, choices } = there;
  const takes = {
    bare: "no value",
    value: "one value",
    values: "at least one value",
  };
  const isFitting = arity === "values"
    ? values.length > 0
    : values.length === (arity === "bare" ? 0 : 1);
  if (!isFitting) {
    return [fail(
      `${flag} of the installed slime takes ${
        takes[arity]
      }, but ${from} gives ${values.join(" ") || "none"}`,
      `use the commit that "deno task setup" pins, or change ${from}`,
    )];
  }
  const other = values.find((value) => choices && !choices.includes(value));
  return other === undefined ? [] : [fail(
    `${flag} of the installed slime must be one of ${
      choices!.join(", ")
    }, but ${from} is ${other}`,
    `set ${from} to one of these values`,
  )];
}

/**
 * Checks that the slime commit that taulab pins has the flags in the recipe's `flags`. Used if the parsers of the
 * installed slime cannot be read.
 */
function byList({ config }: ResolvedSlime, reason: string): Observed[] {
  return [
    warn(
      `cannot read the installed slime's flags (${reason}), so the run's flags were compared with those of the commit that "deno task setup" pins`,
      'fix what the checks "software" and "hook" report',
    ),
    ...unknownFlags(config.flags).map(({ found, fix }) => fail(found, fix)),
  ];
}
