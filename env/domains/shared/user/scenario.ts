/** The scenario of a τ³-bench task as prose like that of τ-bench's users: what they know, what they want, what else. */

/** The parts that are told, in the order of the prose. */
const PARTS = ["Known info:", "Reason for call:", "Task instructions:"];

/** A line that begins a part. */
const LABEL =
  /^\t?(Persona|Domain|Reason for call|Known info|Unknown info|Task instructions):/;

/** The parts of a scenario in one text; any other instruction as it is. */
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
