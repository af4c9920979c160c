"""Signs bodies as Stripe does, with Stripe's own library: JSON in, JSON out."""

import json
import sys

import stripe

asked = json.load(sys.stdin)
secret = asked["secret"]
headers = [
    stripe.WebhookSignature.generate_signature_header(payload, secret)
    for payload in asked["payloads"]
]
json.dump({"headers": headers, "version": stripe.VERSION}, sys.stdout)
