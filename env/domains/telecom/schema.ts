/**
 * Minimal schemas of the rows in the agent's database. The models in `account_models.ts` declare all fields of these
 * rows, except the rows of the table `hidden`.
 */

import { z } from "zod";

const row = z.looseObject({});

/** The row schema of each table. */
export const rowSchemas: ReadonlyMap<string, z.ZodType> = new Map([
  ["plans", row.extend({ plan_id: z.string() })],
  ["customers", row.extend({ customer_id: z.string() })],
  ["lines", row.extend({ line_id: z.string() })],
  ["bills", row.extend({ bill_id: z.string() })],
  ["devices", row.extend({ device_id: z.string() })],
  ["hidden", row],
]);
