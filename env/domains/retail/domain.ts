/** Defines τ-bench's retail domain. */

import { defineDomain } from "../../domain.ts";
import { serveRetail } from "./expert/serve_retail.ts";
import { retailGoals } from "./goal/retail_goals.ts";
import { retailClauses, UNTESTED } from "./policy_clauses.ts";
import { retailRows } from "./owned_rows.ts";
import { retailRowTasks } from "./rows/retail_rows.ts";
import { rowSchemas } from "./schema.ts";
import { retailUser } from "./user/retail_user.ts";
import { retailWorld } from "./world/draw_world.ts";
import { calculate } from "../shared/tools/calculate.ts";
import { cancelPendingOrder } from "./tools/cancel_pending_order.ts";
import { exchangeDeliveredOrderItems } from "./tools/exchange_delivered_order_items.ts";
import { findUserIdByEmail } from "./tools/find_user_id_by_email.ts";
import { findUserIdByNameZip } from "./tools/find_user_id_by_name_zip.ts";
import { getOrderDetails } from "./tools/get_order_details.ts";
import { getProductDetails } from "./tools/get_product_details.ts";
import { getUserDetails } from "../shared/tools/get_user_details.ts";
import { listAllProductTypes } from "./tools/list_all_product_types.ts";
import { modifyPendingOrderAddress } from "./tools/modify_pending_order_address.ts";
import { modifyPendingOrderItems } from "./tools/modify_pending_order_items.ts";
import { modifyPendingOrderPayment } from "./tools/modify_pending_order_payment.ts";
import { modifyUserAddress } from "./tools/modify_user_address.ts";
import { returnDeliveredOrderItems } from "./tools/return_delivered_order_items.ts";
import { think } from "../shared/tools/think.ts";
import { transferToHumanAgents } from "../shared/tools/transfer_to_human_agents.ts";

/**
 * τ-bench's retail domain. Its tools perform the same checks in the same order as the original tools, return the same
 * strings and have the same effects.
 *
 * @see sierra-research/tau-bench at commit 59a200c, tau_bench/envs/retail/tools.
 */
export const retail = defineDomain({
  benchmark: "tau",
  name: "retail",
  rowSchemas,
  rows: retailRows,
  policy: { clauses: retailClauses, untested: UNTESTED },
  goals: retailGoals,
  scriptedUser: retailUser,
  expert: serveRetail,
  world: retailWorld,
  rowTasks: retailRowTasks,
  tools: [
    calculate,
    cancelPendingOrder,
    exchangeDeliveredOrderItems,
    findUserIdByEmail,
    findUserIdByNameZip,
    getOrderDetails,
    getProductDetails,
    getUserDetails,
    listAllProductTypes,
    modifyPendingOrderAddress,
    modifyPendingOrderItems,
    modifyPendingOrderPayment,
    modifyUserAddress,
    returnDeliveredOrderItems,
    think,
    transferToHumanAgents,
  ],
});
