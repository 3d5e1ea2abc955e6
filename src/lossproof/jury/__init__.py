"""What can be said of a trained network beside the accuracies that papers print: does it hide its gradients?"""
