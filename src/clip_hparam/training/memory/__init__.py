"""How many images a forward pass has: chosen by the memory of the device, halved where it ends."""
