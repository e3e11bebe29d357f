"""Who may call, and how much: API keys and their scopes, rates, token budgets, tenants.

Knows no HTTP; `agent.server.access` asks here for every request.
"""
