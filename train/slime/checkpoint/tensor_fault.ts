/** Defines the faults of checkpoints, and their effects on training. */

/** The kinds of checkpoint faults. */
export type TensorFaultKind =
  /** The directory is incomplete: a file is missing, truncated or damaged. */
  | "incomplete"
  /** `config.json` or the run's arguments describe another model. */
  | "config"
  | "missing"
  | "unexpected"
  | "shape"
  | "dtype"
  | "values"
  /** The model ties two tensors, but their copies in the checkpoint differ. */
  | "tied"
  /** A tensor contains a NaN or an infinity. */
  | "nonfinite"
  /** The bytes of a tensor cannot be found or read. */
  | "unreadable";

/** A fault in a checkpoint. */
export interface TensorFault {
  readonly kind: TensorFaultKind;
  /**
   * The checkpoint's directory. If the checkpoint cannot be opened, the path of the faulty file or directory; empty if
   * unknown.
   */
  readonly where: string;
  /**
   * The names of the tensors in Hugging Face's format. A tensor without a Hugging Face name is listed under its name in
   * the file.
   */
  readonly tensors: readonly string[];
  /** A description of the fault, as a clause without a full stop. */
  readonly what: string;
  /** The effect on training. */
  readonly training: string;
}

/** Formats a fault as one line. */
export function tensorFaultText(
  { kind, tensors, what, training }: TensorFault,
): string {
  const [first, ...more] = tensors;
  const name = first === undefined
    ? ""
    : `${first}${more.length === 0 ? "" : ` and ${more.length} more`}: `;
  return `${kind}: ${name}${what}; ${training}`;
}

/** Descriptions of effects on training that several kinds of faults share. */
export const TRAINING = {
  skipped:
    "slime only prints that it skips the tensor, and trains from random values",
  other: "training would start from weights that are not the model's",
  unread: "slime would not load the directory, or only a part of it",
} as const;
