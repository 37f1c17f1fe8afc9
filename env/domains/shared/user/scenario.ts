/** Converts a τ³-bench task's scenario to prose in the style of τ-bench's instructions. */

/** The parts of a scenario that appear in the prose, in order. */
const PARTS = ["Known info:", "Reason for call:", "Task instructions:"];

/** Matches a line that begins a part. */
const LABEL =
  /^\t?(Persona|Domain|Reason for call|Known info|Unknown info|Task instructions):/;

/** Returns a scenario's prose parts, joined into one string. Any other instruction is returned unchanged. */
export function proseOf(instruction: string): string {
  const parts = partsOf(instruction);
  const own = PARTS.flatMap((label) => parts.get(label) ?? [])
    .filter((text) => /\w/.test(text));
  return own.length === 0 ? instruction : own.join(" ");
}

function partsOf(instruction: string): Map<string, string> {
  const parts = new Map<string, string>();
  let label = "";
  for (const line of instruction.split("\n")) {
    const found = LABEL.exec(line)?.[0].trim();
    if (found !== undefined) label = found;
    const text = (found === undefined ? line : line.replace(LABEL, "")).trim();
    if (text !== "") {
      parts.set(label, `${parts.get(label) ?? ""} ${text}`.trim());
    }
  }
  return parts;
}
