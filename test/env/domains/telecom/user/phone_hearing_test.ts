import assert from "node:assert/strict";
import {
  type Heard,
  hearPhone,
} from "../../../../../env/domains/telecom/user/phone_hearing.ts";

/**
 * Summarizes a request as the user understood it, for example as `check bar`, `turn airplane off` or `grant messaging
 * sms storage`.
 */
function short(heard: Heard): string {
  switch (heard.kind) {
    case "check":
      return ["check", heard.topic, heard.app ?? ""].join(" ").trim();
    case "turn":
      return `turn ${heard.topic} ${heard.on ? "on" : "off"}`;
    case "mode":
      return `mode ${heard.mode}`;
    case "grant":
      return ["grant", heard.app, ...heard.permissions].join(" ");
    case "flip":
    case "do":
    case "answer":
      return `${heard.kind} ${heard.topic}`;
    default:
      return heard.kind;
  }
}

/** Different wordings of each request, keyed by the request's summary. */
const ASKED: Readonly<Record<string, readonly string[]>> = {
  "check bar": [
    "please check your status bar.",
    "Do you see a signal now?",
    "Could you look at the top of your screen and tell me what the **status bar** shows?",
    "What does your status bar show?",
    "Please run `check_status_bar()` and report the result.",
  ],
  "check network": [
    "please check your network status.",
    "Can you check your phone's connection status?",
    "Use check_network_status, please.",
  ],
  "check airplane": [
    "Is airplane mode on?",
    "Please check if Airplane Mode is ON.",
  ],
  "turn airplane off": [
    "please turn airplane mode off.",
    "Turn off Airplane Mode.",
    "Could you please disable airplane mode?",
    "If Airplane Mode is on, please turn it off.",
    "I need you to switch off flight mode.",
    "Make sure that airplane mode is off.",
  ],
  "flip airplane": [
    "Please use toggle_airplane_mode.",
    "Toggle airplane mode.",
  ],
  "turn airplane off, check bar": [
    "Please turn airplane mode off and then check your status bar.",
    "First, turn off airplane mode. Then tell me what your status bar shows.",
    "1. Turn off airplane mode\n2. Check the status bar",
  ],
  "check sim": [
    "please check your sim card.",
    "Could you check the status of your SIM card?",
    "Is your SIM card active, missing or locked?",
  ],
  "do sim": [
    "please reseat your sim card.",
    "Please remove and re-insert your SIM card.",
    "Take your SIM card out and put it back in.",
    "Please re-seat the SIM card.",
    "Please try removing and re-inserting your SIM card.",
  ],
  "check apn": [
    "please check your apn settings.",
    "What do your APN settings show?",
  ],
  "do apn": [
    "Please reset your APN settings.",
    "restore the default apn settings",
  ],
  "do apn, do reboot": [
    "please reset your apn settings and then reboot your phone.",
    "Please reset your APN settings to default. After that, restart your device.",
  ],
  "do reboot": ["Please restart your phone.", "please reboot your phone."],
  "check speed": [
    "please run a speed test.",
    "Can you rerun the speed test for me?",
    "Please run_speed_test again and tell me the result.",
  ],
  "check mms": [
    "please check whether you can send an mms.",
    "Can you try to send a picture message?",
    "Please check can_send_mms.",
  ],
  "turn roaming on": [
    "please turn data roaming on.",
    "Please enable data roaming in your settings.",
  ],
  "check roaming": ["Is data roaming enabled on your phone?"],
  "turn data on": [
    "please turn mobile data on.",
    "Could you turn on mobile data?",
  ],
  "check saver": ["please check your data saver.", "Is Data Saver mode on?"],
  "turn saver off": [
    "please turn data saver off.",
    "Please disable Data Saver mode.",
  ],
  "check saver, turn saver off": [
    "Please check if data saver is on, and turn it off if it is.",
  ],
  "check mode": [
    "please check your network mode preference.",
    "What is your preferred network mode?",
    "Please check what type of cellular network your phone prefers.",
  ],
  "mode 4g_5g_preferred": [
    "please set your network mode to 4g_5g_preferred.",
    "Please change your network mode from 2G to 4G/5G.",
    "Set the network mode preference to 5G please.",
    'Could you please change your network mode preference to "4g_5g_preferred"? This will let your phone use the fastest network.',
  ],
  "mode 4g_only": ["Please set your network mode preference to 4g_only."],
  "mode undefined": ["Please change your network mode."],
  "check calling": [
    "please check your wi-fi calling.",
    "Is Wi-Fi Calling enabled on your phone?",
  ],
  "turn calling off": [
    "please turn wi-fi calling off.",
    "Please disable WiFi calling.",
  ],
  "turn wifi on": ["Please turn on your Wi-Fi."],
  "turn vpn off": [
    "please disconnect your vpn.",
    "Please turn off your VPN.",
    "If you are using a VPN, please disconnect it.",
  ],
  "check vpn": ["please check your vpn.", "Are you using a VPN?"],
  "check permissions messaging": [
    "please check the permissions of the messaging app.",
    "Which permissions does your messaging app have?",
  ],
  "grant messaging sms storage": [
    "please grant the messaging app the sms and storage permissions.",
    "Please give the messaging app permission for SMS and storage.",
  ],
  "grant messaging sms": ["please grant the messaging app the sms permission."],
  "check payment, do payment": [
    "bill B1 is overdue. i have sent you a payment request. please check it and pay it.",
    "I've sent you a payment request for $65.00. Please check it and make the payment.",
  ],
  "do payment": ["Will you pay the bill?", "Please make the payment."],
  "answer name, answer number": [
    "please tell me your full name and phone number.",
    "Could you please provide your full name and the phone number on the account?",
  ],
  "answer number": ["May I have your phone number?"],
  "answer unknown": ["What is your date of birth?"],
  "answer place": [
    "are you abroad?",
    "Are you currently traveling outside your home network?",
  ],
  "answer refuel": [
    "you have used all your data. how much data do you want to refuel?",
    "2 gb cost $4.00. do you want me to refuel it?",
    "Would you like to refuel data?",
  ],
  "answer plan, answer refuel": [
    "Would you like to change your plan or refuel data?",
  ],
  "answer refuel, answer plan": [
    "Your data usage (15.1 GB) has exceeded your plan's data limit (15.0 GB). You have two options:\n1. Refuel data at $2.00 per GB (maximum 2 GB)\n2. Change to a plan with a higher data limit\n\nWhich would you prefer?",
  ],
  "check mms, more": [
    "Great! Now could you try sending an MMS message again to see if the issue is resolved?",
  ],
  "turn calling off, check mms": [
    "Please turn off Wi-Fi Calling, then try sending an MMS.",
  ],
  "grant messaging storage, grant messaging sms": [
    "Please grant both the storage permission and the SMS permission to your messaging app.",
  ],
  "do reboot, check bar": [
    "Your bill has been paid. I have resumed your line. Please reboot your device, and let me know what your status bar shows.",
  ],
  "check vpn, turn vpn off": [
    "Could you check if you're connected to a VPN? If it is connected, please disconnect it.",
  ],
  consent: [
    "Shall I proceed?",
    "Is that ok with you?",
    "To refuel it would cost $4.00. Would you like me to proceed?",
  ],
  more: ["it should work now. anything else?", "Is your problem resolved?"],
  transfer: ["YOU ARE BEING TRANSFERRED TO A HUMAN AGENT. PLEASE HOLD ON."],
  "": [
    "Thank you, John. I have found your account.",
    "I have enabled roaming on the line.",
    "Mobile data is required for MMS.",
    "Your line is active again.",
    "Please do not turn off mobile data.",
    "Thank you for your patience.",
    "I'm going to check your line status now.",
    "It looks like airplane mode is on, which is why you have no service.",
    "",
  ],
};

for (const [expected, messages] of Object.entries(ASKED)) {
  Deno.test(`hearPhone() understands only "${expected}" in each wording of the request`, () => {
    for (const message of messages) {
      assert.equal(hearPhone(message).map(short).join(", "), expected, message);
    }
  });
}
