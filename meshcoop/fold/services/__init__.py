"""The services of a home: which services go on in the place of other services, and what the answers
to their measures add up to.
"""
