/** Groups the arguments of a command line by flag. */

/** A flag with its values. */
export interface FlagWords {
  /** The flag with its dashes: `--num-layers`. */
  readonly flag: string;
  /** Empty for a bare flag. */
  readonly values: readonly string[];
}

/** Groups arguments by flag. Those before the first flag are dropped. */
export function groupWords(words: readonly string[]): FlagWords[] {
  const flags: { flag: string; values: string[] }[] = [];
  for (const word of words) {
    if (word.startsWith("--")) flags.push({ flag: word, values: [] });
    else flags.at(-1)?.values.push(word);
  }
  return flags;
}
