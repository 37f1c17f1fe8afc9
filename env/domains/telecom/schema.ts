/** The tables of telecom's account database as a check of whole rows; what they hold is declared by its models. */

import { z } from "zod";

const row = z.looseObject({});

/** By table. */
export const rowSchemas: ReadonlyMap<string, z.ZodType> = new Map([
  ["plans", row.extend({ plan_id: z.string() })],
  ["customers", row.extend({ customer_id: z.string() })],
  ["lines", row.extend({ line_id: z.string() })],
  ["bills", row.extend({ bill_id: z.string() })],
  ["devices", row.extend({ device_id: z.string() })],
  ["hidden", row],
]);
