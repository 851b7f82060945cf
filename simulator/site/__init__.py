"""Behind the door: one organisation's database, its catalogue, policy, guard and ledger."""
