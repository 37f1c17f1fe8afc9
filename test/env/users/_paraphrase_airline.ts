/** Provides alternative wordings for the sentences of the airline expert. */

import type { Wordings } from "./_paraphrase.ts";

/** Alternative wordings for the sentences of the airline expert. */
export const AIRLINE_WORDINGS: Wordings = [
  [/^.*\buser id[.?]$/, [
    "Hello! I'd be happy to assist you with that. Could you please provide your user ID so that I can pull up your profile?",
    "Sure, I can help with this. To get started, may I have your user ID?",
    "I'm sorry to hear that. Before we proceed, I'll need to verify your identity. Please share your user ID.",
  ]],
  [
    /^(which reservation.*|what is the reservation id.*|please tell me which reservation\.)$/,
    [
      "Thank you! Could you please share the reservation ID?",
      "Which reservation is this about? If you don't have the number, the origin and destination will do.",
      "Do you happen to have your confirmation number?",
    ],
  ],
  [/^(where do you want to fly.*|from where to where.*|.*the route\.)$/, [
    "Great! Where would you like to fly from and to?",
    "Could you tell me your departure city and your destination?",
    "What are the origin and destination airports of your trip?",
  ]],
  [/^(on what date\?|which date.*|when should it be.*)$/, [
    "What date would you like to travel?",
    "When would you like to fly?",
    "Would you like a one-way or a round-trip ticket, and on which dates?",
    "Could you please provide the date you'd prefer?",
  ]],
  [/^(which|what) flight.*$/, [
    "Several flights are available that day. Which flight would you like?",
    "Do you have a preference, such as the cheapest, the earliest or the latest flight?",
    "Which of the flights would you prefer?",
  ]],
  [/^(which|what) cabin.*$/, [
    "Which cabin class would you like: basic economy, economy, or business?",
    "What class would you like to fly in?",
    "Would you like to travel in basic economy, economy or business class?",
  ]],
  [
    /^(who is to fly.*|which passengers.*|please name the passengers.*)$/,
    [
      "Could you please provide the full name and date of birth of each passenger?",
      "Who will be traveling? I'll need first name, last name and date of birth.",
      "Please list all passengers with their dates of birth.",
    ],
  ],
  [/^.*how many bags.*$/, [
    "How many checked bags will you be bringing?",
    "Could you let me know the number of bags?",
    "How much baggage would you like to add?",
  ]],
  [/^.*\binsurance\?$/, [
    "Would you like to add travel insurance for $30 per passenger?",
    "Do you want travel insurance?",
    "Should I include travel insurance with this booking?",
  ]],
  [
    /^(how do you want to pay\?|which payment.*|what do you want to pay with\?)$/,
    [
      "How would you like to pay? You have a credit card and a gift card on file.",
      "Which payment method would you like to use for this?",
      "Could you please tell me what payment method I should charge?",
    ],
  ],
  [/^(?:shall i |i will )?(.*?), yes or no\?$/, [
    "Here is a summary of what I'm about to do:\n\n- **Action:** $1\n\nDo you confirm that you'd like me to proceed? (yes/no)",
    "Just to confirm: $1. Is that correct?",
    'I will now $1. Please reply with "yes" to confirm and I\'ll go ahead right away.',
    "Would you like me to $1?",
    "Okay, let me make sure I have this right: $1. Shall I proceed?",
  ]],
  [/^done, (.*?)\. [^.]*\?$/, [
    "Great news! It has been successfully processed: $1. Is there anything else I can assist you with today?",
    "All set! $1. Is there anything else I can help you with?",
    "I've completed your request: $1. Can I help with anything else?",
  ]],
  [/^sorry, (.*?), so i cannot do that\. [^.]*\?$/, [
    "I'm sorry, but unfortunately this can't be done: $1. Is there anything else I can help you with?",
    "Unfortunately I'm unable to do that, since $1. Would you like help with something else instead?",
    "I apologize for the inconvenience. $1. I cannot process this request.",
  ]],
  [/^(the .* is .*|here is what .*)\. [^.]*\?$/, [
    "Thanks for waiting! $1. Is there anything else you'd like to know?",
    "I checked that for you: $1.",
  ]],
];
