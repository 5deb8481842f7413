"""What is measured on purpose: generators that ask for setpoints, and wait for drops."""
