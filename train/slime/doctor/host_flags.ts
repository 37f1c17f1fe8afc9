/**
 * Determines which flags the installed version of slime supports on a host, using slime's parsers. The flags differ
 * between commits, and train.py ignores unknown flags.
 *
 * `train.py --help` shows only the flags of one of slime's three parsers. The program sent to the host therefore calls
 * slime's parse_args(), and records each parser's flags when that parser starts.
 *
 * @see slime `slime/utils/arguments.py` (`parse_args`) at 624b824.
 */

import { z } from "zod";
import type { CallOptions } from "../../../env/types.ts";
import type { Shell } from "../hosts/shell.ts";
import type { FlagArity } from "../plan/flag_names.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { jobPythonPath, runPython } from "./host_python.ts";

/** A flag of an argparse parser. */
export interface ParserFlag {
  readonly arity: FlagArity;
  /** The allowed values; `null` if any value is allowed. */
  readonly choices: readonly string[] | null;
}

const PROGRAM = `
import argparse, io, sys
from contextlib import redirect_stdout
flags = {}
def arity(action):
    if action.nargs == 0:
        return "bare"
    return "value" if action.nargs in (None, "?", 1) else "values"
def words(action):
    choices = list(action.choices or [])
    return choices if choices and all(isinstance(choice, str) for choice in choices) else None
plain = argparse.ArgumentParser.parse_known_args
def note(parser, *rest, **more):
    for action in parser._actions:
        action.required = False
        for flag in action.option_strings:
            if flag.startswith("--"):
                flags[flag] = {"arity": arity(action), "choices": words(action)}
    return plain(parser, *rest, **more)
argparse.ArgumentParser.parse_known_args = note
sys.argv = ["train.py"]
reason = None
with redirect_stdout(io.StringIO()):
    try:
        from slime.utils.arguments import parse_args
        parse_args()
    except (Exception, SystemExit) as error:  # without arguments, it fails after all parsers have run
        reason = "%s: %s" % (type(error).__name__, error)
if "--rollout-batch-size" not in flags or "--num-layers" not in flags:
    sys.exit("cannot read the flags of slime's parsers: %s" % reason)
print(json.dumps(flags))
`;

const flagsSchema = z.record(
  z.string(),
  z.object({
    arity: z.enum(["bare", "value", "values"]),
    choices: z.array(z.string()).nullable(),
  }),
);

/**
 * Reads the flags of the version of slime that is installed on a host. This imports PyTorch, SGLang and Megatron-LM
 * there, which takes up to a minute.
 * @throws {HostError} If the host cannot be reached.
 * @throws {DataError} If the parsers cannot be read. The message states the reason.
 */
export async function readHostFlags(
  host: Shell,
  { config, signal }: CallOptions & { readonly config: SlimeConfig },
): Promise<ReadonlyMap<string, ParserFlag>> {
  const flags = await runPython(host, config.paths.python, {
    program: PROGRAM,
    input: "{}",
    output: flagsSchema,
    env: { PYTHONPATH: jobPythonPath(config) },
    signal,
  });
  return new Map(Object.entries(flags));
}
