/** What is wrong with a checkpoint, and what training would have made of it. */

/** Kinds of faults. */
export type TensorFaultKind =
  /** The directory is not whole: a file is missing, cut off or damaged. */
  | "incomplete"
  /** `config.json` or the run's arguments are of another model. */
  | "config"
  | "missing"
  | "unexpected"
  | "shape"
  | "dtype"
  | "values"
  /** Two copies of one tensor within a checkpoint differ. */
  | "tied"
  /** NaN or infinity. */
  | "nonfinite"
  /** Bytes that cannot be found or read. */
  | "unreadable";

/** One fault. */
export interface TensorFault {
  readonly kind: TensorFaultKind;
  /** The checkpoint's directory. */
  readonly where: string;
  /** Names of tensors as Hugging Face has them, or as the file has them where there is no such name. */
  readonly tensors: readonly string[];
  /** What is wrong, as a clause. */
  readonly what: string;
  /** What training would have made of it. */
  readonly training: string;
}

/** A fault in one line. */
export function tensorFaultText(
  { kind, tensors, what, training }: TensorFault,
): string {
  const [first, ...more] = tensors;
  const name = first === undefined
    ? ""
    : `${first}${more.length === 0 ? "" : ` and ${more.length} more`}: `;
  return `${kind}: ${name}${what}; ${training}`;
}

/** What training makes of faults, where it is the same for all of a kind. */
export const TRAINING = {
  skipped:
    "slime prints that it skips such a tensor and trains on from random values",
  other: "training would begin from other weights than the model's",
  unread: "slime would not load the directory, or load it in part",
} as const;
