/** Every flag of the run, against the parsers of the slime that is installed. */

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

/** The check `flags`. */
export const check: Check = {
  id: "flags",
  order: 155,
  title: "the installed slime has every flag that the run passes",
  // Its parsers import PyTorch, SGLang and Megatron-LM.
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

/** With any words in the place of paths, which no parser looks at. */
function flagsOf(slime: ResolvedSlime): TrainFlag[] {
  return trainFlags(slime, {
    run: "run",
    checkpoints: "/run",
    huggingFace: slime.config.checkpoint.huggingFace,
    promptData: "/run",
    evalData: [{ name: "dev", path: "/run" }],
    settings: "/run",
    routerPolicy: null, // the check router
  });
}

function faultsOf(
  { flag, values, from }: TrainFlag,
  known: ReadonlyMap<string, ParserFlag>,
): Observed[] {
  const there = known.get(flag);
  if (there === undefined) {
    return [fail(
      `the installed slime has no flag ${flag} (${from}), and would ignore it without a word`,
      `take the commit that "deno task setup" pins${
        from.startsWith("flags.")
          ? `, or the nearest flag, "${nearest(flag, [...known.keys()])}"`
          : ""
      }`,
    )];
  }
  const { arity, choices } = there;
  const takes = { bare: "no value", value: "one value", values: "values" };
  const isFitting = arity === "values"
    ? values.length > 0
    : values.length === (arity === "bare" ? 0 : 1);
  if (!isFitting) {
    return [fail(
      `${flag} of the installed slime takes ${
        takes[arity]
      }, and ${from} gives ${values.join(" ") || "none"}`,
      `take the commit that "deno task setup" pins, or set ${from} so`,
    )];
  }
  const other = values.find((value) => choices && !choices.includes(value));
  return other === undefined ? [] : [fail(
    `${flag} of the installed slime is one of ${
      choices!.join(", ")
    }, and ${from} is ${other}`,
    `set ${from} to one of them`,
  )];
}

/** Without the host's own parsers, the flags of the slime that this was written against. */
function byList({ config }: ResolvedSlime, reason: string): Observed[] {
  return [
    warn(
      `the installed slime does not tell its flags (${reason}), so the run's are compared with those of the commit that "deno task setup" pins`,
      "see the checks software and hook",
    ),
    ...unknownFlags(config.flags).map(({ found, fix }) => fail(found, fix)),
  ];
}
