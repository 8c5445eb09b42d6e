"""The servers of the bus while they run: held to what was decided, asked, and watched for floods.

`access` and `connection` reach them as the system account, `asking` asks all at once, `resolver` holds each to its
claims, `guard` says who floods, `watching` joins the two. Refuses to know why an account has the claims it has.
"""
