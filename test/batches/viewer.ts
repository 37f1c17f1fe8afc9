/** Runs the tests of the batch `viewer`. */

import { importBatch } from "../support/batches.ts";

await importBatch("viewer");
