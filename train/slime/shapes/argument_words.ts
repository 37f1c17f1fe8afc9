/** Words of a command line by their flags. */

/** A flag with its values. */
export interface FlagWords {
  /** `--num-layers`. */
  readonly flag: string;
  /** Empty for a bare flag. */
  readonly values: readonly string[];
}

/** Words by their flags; what stands before the first is left out. */
export function groupWords(words: readonly string[]): FlagWords[] {
  const flags: { flag: string; values: string[] }[] = [];
  for (const word of words) {
    if (word.startsWith("--")) flags.push({ flag: word, values: [] });
    else flags.at(-1)?.values.push(word);
  }
  return flags;
}
