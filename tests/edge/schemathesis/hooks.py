"""What openapi.yaml cannot say in JSON Schema, for schemathesis.

Strategies of the formats whose rules live in code, and an address of its own for every call, so that
no rate limit is met by chance.
"""

import os
import random
from datetime import datetime

import schemathesis
from hypothesis import strategies as st

PHONES = ["912 345 678", "+351912345678", "00351 21 234 5678", "+34 612 34 56 78", "+44 7400 123456"]

schemathesis.openapi.format("uuid", st.uuids(allow_nil=False).map(str))
schemathesis.openapi.format("phone", st.sampled_from(PHONES))
schemathesis.openapi.format("email", st.from_regex(r"\A[a-z0-9](\.?[a-z0-9+_-]){0,40}@example\.(pt|com)\Z"))
schemathesis.openapi.format("person-name", st.from_regex(r"\A[A-Za-zÀ-ÿ]([ '-]?[A-Za-zÀ-ÿ]){0,60}\Z"))
schemathesis.openapi.format("language-tag", st.from_regex(r"\A[a-z]{2,3}(-[A-Za-z]{2,8})?\Z"))
schemathesis.openapi.format("product-id", st.just("cafe-com-vendas-ticket"))
schemathesis.openapi.format("allowed-page", st.just(os.environ["THROUGHLINE_FORM_PAGE"]))
schemathesis.openapi.format(
    "date-time",
    st.datetimes(max_value=datetime(9999, 12, 30)).map(lambda moment: moment.isoformat() + "Z"),
)

# Not drawn by hypothesis: an address is no part of what is tried.
ADDRESSES = random.Random()


@schemathesis.hook
def before_call(context, case, kwargs):
    address = ".".join(str(ADDRESSES.randrange(1, 255)) for _ in range(3))
    case.headers = case.headers or {}
    case.headers["X-Forwarded-For"] = f"10.{address}"
