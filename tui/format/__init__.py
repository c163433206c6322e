"""Turns values into text for the screen: durations, times, names, labels and charts. Only this
package makes text from other people safe to show.
"""
