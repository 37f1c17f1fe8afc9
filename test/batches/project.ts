/** Runs the tests of the batch `project`. */

import { importBatch } from "../support/batches.ts";

await importBatch("project");
