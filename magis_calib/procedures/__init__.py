"""What is measured on purpose: short generators that ask for setpoints and sequence types and wait
for drops.
"""
