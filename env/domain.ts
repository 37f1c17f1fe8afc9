/** A kind of world: tools over a database. Which rows and texts it works on is the dataset's affair. */

import type { z } from "zod";
import type { Tool } from "./tool.ts";
import type { DomainName } from "./types.ts";

/** The tools of a world and what its rows look like; no text of τ-bench in it. */
export interface Domain {
  readonly name: DomainName;
  readonly tools: readonly Tool[];
  /** The schema of a row by table. Rows are checked when they are loaded, as plain data. */
  readonly rowSchemas: ReadonlyMap<string, z.ZodType>;
}
