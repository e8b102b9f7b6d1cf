"""The steps: each reserves slots, claims rows, asks the vendor, decides, applies. Any number of replicas run them."""
